"""Rows as each revision of the tables had them, in SQL that is frozen: what was written then must be read today.

A new revision that changes what a table holds adds its own rows here; those above it are never touched.
"""

from __future__ import annotations

MOMENT = "'2026-01-02 03:04:05.000000'"
LATER = "'2026-01-02 03:05:05.000000'"
ENTRY = (
    '{"key": "RET-1", "question": "怎么退货？", "answer": "签收后7天内可以退。", "variants": ["我要退货"], '
    '"language": "zh", "tags": ["售后"], "status": "published", "valid_from": null, "valid_until": null, '
    '"action": null}'
)
CITED = (
    '[{"number": 1, "knowledge_base": "shop", "key": "RET-1", "question": "怎么退货？", '
    '"answer": "签收后7天内可以退。"}]'
)

_TURN = (
    "INSERT INTO turns (id, conversation_id, position, channel, message_id, question, standalone, language, outcome, "
    "confidence, answer, candidates, citations, suggestions, model, degraded, prompt_tokens, cached_tokens, "
    "completion_tokens, search_ms, first_token_ms, total_ms, created_at) VALUES "
)

ROWS: dict[str, tuple[str, ...]] = {
    "0001": (
        f"INSERT INTO knowledge_bases (id, name, current_release, created_at) VALUES (1, 'shop', 1, {MOMENT})",
        "INSERT INTO entries (id, knowledge_base_id, key, question, answer, language, tags, status, valid_from, "
        "valid_until, action, updated_at) VALUES (1, 1, 'RET-1', '怎么退货？', '签收后7天内可以退。', 'zh', "
        f"'[\"售后\"]', 'published', '2026-01-01', NULL, NULL, {MOMENT})",
        "INSERT INTO variants (id, entry_id, position, text) VALUES (1, 1, 0, '我要退货')",
        "INSERT INTO releases (id, knowledge_base_id, number, content_hash, created_at) "
        f"VALUES (1, 1, 1, 'abc123', {MOMENT})",
        f"INSERT INTO release_entries (id, release_id, entry) VALUES (1, 1, '{ENTRY}')",
        "INSERT INTO conversations (id, channel, handoff, created_at, updated_at) "
        f"VALUES ('c1', 'web', 'waiting', {MOMENT}, {LATER})",
        f"{_TURN}('t1', 'c1', 1, 'web', 'm1', '怎么退货？', NULL, 'zh', 'direct', 0.93, '签收后7天内可以退。', '[]', "
        f"'{CITED}', '[]', NULL, FALSE, NULL, NULL, NULL, 12.5, NULL, 14.25, {MOMENT})",
        f"{_TURN}('t2', 'c1', 2, 'web', NULL, '转人工', NULL, 'zh', 'handoff', NULL, '请稍候', '[]', '[]', '[]', NULL, "
        f"TRUE, 300, 280, 40, 9.5, 180, 950, {LATER})",
        f"INSERT INTO feedback (id, turn_id, rating, comment, created_at) VALUES (1, 't1', 'down', '没用', {LATER})",
        "INSERT INTO handoffs (id, conversation_id, reason, summary, notified, created_at) "
        f"VALUES (1, 'c1', 'asked', '想退货', TRUE, {LATER})",
    ),
    "0002": (
        "INSERT INTO conversations (id, channel, handoff, created_at, updated_at, visitor) "
        f"VALUES ('c2', 'web', 'bot', {MOMENT}, {MOMENT}, 'v-anna')",
        f"{_TURN}('t3', 'c2', 1, 'web', 'm3', '运费多少', '退货运费多少', 'zh', 'refused', 0.1, '没有找到', '[]', "
        f"'[]', '[]', NULL, FALSE, NULL, NULL, NULL, 8, NULL, 9, {MOMENT})",
    ),
    "0003": (
        "INSERT INTO users (id, name, role, password_hash, active, failed_logins, locked_until, created_at) "
        f"VALUES (1, 'Olga', 'owner', '$argon2id$of-the-past', TRUE, 0, NULL, {MOMENT})",
        f"INSERT INTO sessions (token_hash, user_id, expires_at, created_at) VALUES ('h', 1, {LATER}, {MOMENT})",
        "INSERT INTO api_keys (id, name, prefix, key_hash, scopes, created_by, created_at, last_used_at) "
        f"VALUES (1, 'ERP', 'fdk_abc', 'kh', '[\"knowledge:read\"]', 'Olga', {MOMENT}, NULL)",
        "INSERT INTO audit (id, actor, action, target, details, created_at) "
        f"VALUES (1, 'Olga', 'user.added', 'Anna', '{{\"role\": \"agent\"}}', {MOMENT})",
        "INSERT INTO test_cases (id, knowledge_base_id, question, key) VALUES (1, 1, '可以退吗', 'RET-1')",
        "INSERT INTO settings (name, value) VALUES ('bot.name', '\"小福\"')",
        "INSERT INTO entry_changes (id, knowledge_base_id, key, actor, before, after, created_at) "
        f"VALUES (1, 1, 'RET-1', 'Olga', NULL, '{ENTRY}', {MOMENT})",
        "UPDATE conversations SET handoff = 'human', agent = 'Olga' WHERE id = 'c1'",
        "INSERT INTO messages (id, conversation_id, kind, author, text, created_at) "
        f"VALUES (1, 'c1', 'reply', 'Olga', '您好，我来处理', {LATER})",
        "UPDATE releases SET created_by = 'Olga', note = '第一版' WHERE id = 1",
    ),
    "0004": (
        "INSERT INTO reviewed (id, question, action, actor, created_at) "
        f"VALUES (1, '运费多少', 'ignore', 'Olga', {LATER})",
    ),
    "0005": (
        "INSERT INTO threads (id, channel, name, address, conversation_id, delivered) "
        "VALUES (1, 'kf', 'wm1', '{\"user\": \"wm1\"}', 'c1', 0)",
        "INSERT INTO received (id, channel, message_id, thread_id, address, kind, text, sent, attempts, due_at, "
        f"done_at, failure, created_at) VALUES (1, 'kf', 'k1', 1, '{{\"user\": \"wm1\"}}', 'text', '在吗', 0, 0, "
        f"{MOMENT}, NULL, NULL, {MOMENT})",
        "INSERT INTO channel_memory (channel, key, value) VALUES ('kf', 'cursor:a', '\"c-7\"')",
        "UPDATE messages SET source = 'kf:x1' WHERE id = 1",
        "INSERT INTO handoffs (id, conversation_id, reason, summary, told, created_at) "
        f"VALUES (2, 'c2', 'asked', '', '{{\"mail\": 1}}', {LATER})",
    ),
    "0006": (
        "INSERT INTO trackers (conversation_id, slots, events, awaiting, updated_at) "
        f'VALUES (\'c1\', \'{{"order": "20261"}}\', \'[{{"event": "slot"}}]\', NULL, {LATER})',
        "UPDATE turns SET action = 'order_status' WHERE id = 't2'",
    ),
    "0007": ("UPDATE turns SET reused = TRUE WHERE id = 't1'",),
    "0008": (),
    "0009": (),
}
