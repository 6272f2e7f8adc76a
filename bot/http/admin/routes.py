"""Everything under /api/admin, which the console and other programs use alike."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/admin")
