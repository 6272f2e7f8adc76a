"""The admin console's accounts and settings: a real browser, the real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.http.console import FOLDER
from tests.scenarios.conftest import served
from tests.scenarios.console import OWNER, PASSWORD, PHONE, Console, setup_link

pytestmark = pytest.mark.xdist_group("console")

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Run a server, and make the first owner by the link it printed."""
    home = tmp_path_factory.mktemp("console")
    with served(home) as server:
        yield Console.begin(server)


def log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码", exact=True).fill(password)
    page.get_by_role("button", name="登录", exact=True).click()


@pytest.fixture
def owner(open_page: Callable[..., Page], console: Console) -> Page:
    """Give the console of an owner who has logged in."""
    page = open_page(console.url, session=console.session)
    expect(page.get_by_role("navigation", name="主导航")).to_be_visible()
    return page


def go_to(page: Page, address: str, title: str) -> None:
    page.goto(f"{page.url.partition('#')[0]}#/{address}")
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def choose(page: Page, user: str, item: str) -> None:
    page.get_by_role("button", name=f"{user} 的更多操作").click()
    page.get_by_role("menuitem", name=item).click()


def add_user(page: Page, name: str, password: str, role: str = "客服") -> None:
    go_to(page, "settings/users", "设置")
    page.get_by_role("button", name="添加用户").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("用户名").fill(name)
    dialog.get_by_label("角色").select_option(role)
    dialog.get_by_label("初始密码").fill(password)
    dialog.get_by_role("button", name="添加", exact=True).click()
    expect(page.get_by_role("row").filter(has_text=name)).to_be_visible()


def test_the_printed_link_makes_the_first_owner_once(open_page: Callable[..., Page], tmp_path: Path) -> None:
    with served(tmp_path) as server:
        visitor = open_page(f"{server.url}/admin")
        expect(visitor.get_by_role("heading", name="还没有账号")).to_be_visible()
        visitor.goto(f"{server.url}/admin#/setup/wrong")
        visitor.get_by_label("用户名").fill("贼")
        visitor.get_by_label("密码", exact=True).fill("too long to be refused")
        visitor.get_by_label("再输入一次").fill("too long to be refused")
        visitor.get_by_role("button", name="创建账号").click()
        expect(visitor.get_by_role("alert")).to_contain_text("链接已失效")

        page = open_page(setup_link(tmp_path))
        page.get_by_label("用户名").fill(OWNER)
        page.get_by_label("密码", exact=True).fill("short")
        page.get_by_label("再输入一次").fill("different")
        page.get_by_role("button", name="创建账号").click()
        expect(page.get_by_text("还差 5 个字符")).to_be_visible()
        expect(page.get_by_text("两次输入的密码不一样")).to_be_visible()
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_label("再输入一次").fill(PASSWORD)
        page.get_by_role("button", name="创建账号").click()
        expect(page.get_by_role("button", name=OWNER)).to_be_visible()

        again = open_page(setup_link(tmp_path))
        expect(again.get_by_role("heading", name="已经设置过了")).to_be_visible()


def test_a_login_leads_back_to_where_one_wanted_to_go(open_page: Callable[..., Page], console: Console) -> None:
    page = open_page(f"{console.url}#/settings/audit")
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    log_in(page, OWNER, PASSWORD)
    expect(page.get_by_role("table")).to_contain_text(OWNER)
    assert page.url.endswith("#/settings/audit")
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_a_wrong_password_is_refused_and_five_lock_the_account(owner: Page, open_page: Callable[..., Page]) -> None:
    add_user(owner, "小李", "a password of mine")
    page = open_page(owner.url.partition("#")[0])
    for _ in range(5):
        log_in(page, "小李", "not the password")
        expect(page.get_by_role("button", name="登录", exact=True)).not_to_have_class(re.compile("busy"))
        expect(page.get_by_role("alert")).to_contain_text(re.compile("不正确|锁定"))
    if page.get_by_role("button", name="登录", exact=True).is_enabled():
        log_in(page, "小李", "a password of mine")
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"锁定。请在 \d\d:\d\d:\d\d 之后再试"))
    expect(page.get_by_role("button", name="登录", exact=True)).to_be_disabled()

    owner.reload()
    expect(owner.get_by_role("row").filter(has_text="小李")).to_contain_text("暂时锁定")
    choose(owner, "小李", "重置密码")
    owner.get_by_role("dialog").get_by_label("新密码").fill("another password")
    owner.get_by_role("button", name="保存").click()
    expect(owner.get_by_role("row").filter(has_text="小李")).to_contain_text("正常")
    page.reload()
    log_in(page, "小李", "another password")
    expect(page.get_by_role("button", name="小李")).to_be_visible()


def test_logging_out_ends_the_session(open_page: Callable[..., Page], console: Console) -> None:
    owner = open_page(console.url)
    log_in(owner, OWNER, PASSWORD)
    owner.get_by_role("button", name=OWNER).click()
    owner.get_by_role("menuitem", name="退出登录").click()
    expect(owner.get_by_role("heading", name="登录")).to_be_visible()
    owner.goto(f"{owner.url.partition('#')[0]}#/settings/users")
    expect(owner.get_by_role("heading", name="登录")).to_be_visible()


def test_a_session_that_ended_elsewhere_is_taken_up_again_over_the_page(owner: Page) -> None:
    go_to(owner, "settings/users", "设置")
    expect(owner.get_by_role("row").filter(has_text=OWNER)).to_be_visible()
    owner.context.clear_cookies()
    owner.get_by_role("link", name="操作记录").click()
    dialog = owner.get_by_role("dialog", name="登录已过期")
    expect(dialog.get_by_label("用户名")).to_have_value(OWNER)
    expect(dialog.get_by_label("密码", exact=True)).to_be_focused()
    dialog.get_by_label("密码", exact=True).fill("not the password")
    dialog.get_by_role("button", name="登录", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("不正确")
    dialog.get_by_label("密码", exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name="登录", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(owner.get_by_role("row").filter(has_text=OWNER).first).to_be_visible()
    expect(owner.get_by_role("link", name="操作记录")).to_have_attribute("aria-current", "page")


def test_who_does_not_take_a_session_up_again_is_led_to_the_login_and_back(owner: Page) -> None:
    go_to(owner, "settings/users", "设置")
    expect(owner.get_by_role("row").filter(has_text=OWNER)).to_be_visible()
    owner.context.clear_cookies()
    owner.get_by_role("link", name="操作记录").click()
    owner.get_by_role("dialog").get_by_role("button", name="关闭").click()
    expect(owner.get_by_role("heading", name="登录", level=1)).to_be_visible()
    log_in(owner, OWNER, PASSWORD)
    expect(owner.get_by_role("link", name="操作记录")).to_have_attribute("aria-current", "page")


def test_a_hostile_name_is_only_text(owner: Page) -> None:
    add_user(owner, HOSTILE, "a password of mine")
    go_to(owner, "settings/audit", "设置")
    expect(owner.get_by_role("row").filter(has_text="添加用户").filter(has_text=HOSTILE)).to_be_visible()
    expect(owner.locator("img")).to_have_count(0)
    go_to(owner, "settings/users", "设置")
    choose(owner, HOSTILE, "删除用户")
    expect(owner.get_by_role("heading", name=f"删除 {HOSTILE}？")).to_be_visible()
    owner.get_by_role("dialog").get_by_role("button", name="删除用户").click()
    expect(owner.get_by_role("row").filter(has_text=HOSTILE)).to_have_count(0)


def test_a_role_decides_what_is_shown(owner: Page, open_page: Callable[..., Page]) -> None:
    add_user(owner, "客服小周", "a password of mine")
    agent = open_page(f"{owner.url.partition('#')[0]}#/settings/users")
    log_in(agent, "客服小周", "a password of mine")
    expect(agent.get_by_role("alert")).to_contain_text("没有这项权限")
    expect(agent.get_by_role("link", name="设置")).to_have_count(0)

    choose(owner, "客服小周", "修改角色")
    owner.get_by_role("dialog").get_by_label("角色").select_option("所有者")
    owner.get_by_role("button", name="保存").click()
    expect(owner.get_by_role("row").filter(has_text="客服小周")).to_contain_text("所有者")
    agent.reload()
    expect(agent.get_by_role("link", name="设置")).to_be_visible()

    choose(owner, "客服小周", "停用账号")
    owner.get_by_role("dialog").get_by_role("button", name="停用账号").click()
    expect(owner.get_by_role("row").filter(has_text="客服小周")).to_contain_text("已停用")
    agent.reload()
    expect(agent.get_by_role("heading", name="登录")).to_be_visible()


def test_a_user_name_can_be_taken_only_once(owner: Page) -> None:
    go_to(owner, "settings/users", "设置")
    owner.get_by_role("button", name="添加用户").click()
    dialog = owner.get_by_role("dialog")
    dialog.get_by_label("用户名").fill(OWNER)
    dialog.get_by_label("初始密码").fill(PASSWORD)
    dialog.get_by_role("button", name="添加", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("已有人使用")
    owner.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(owner.get_by_role("button", name="添加用户")).to_be_focused()


@pytest.mark.parametrize("has_clipboard", [True, False], ids=["https", "http"])
def test_a_key_is_shown_once_works_and_can_be_revoked(owner: Page, console: Console, has_clipboard: bool) -> None:
    if has_clipboard:
        owner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:
        owner.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        owner.reload()
    go_to(owner, "settings/keys", "设置")
    owner.get_by_role("button", name="新建密钥").click()
    dialog = owner.get_by_role("dialog")
    dialog.get_by_label("名称").fill("ERP 同步")
    dialog.get_by_role("button", name="创建").click()
    expect(dialog.get_by_text("请至少选择一项权限")).to_be_visible()
    dialog.get_by_label("管理用户、密钥和设置").check()
    dialog.get_by_role("button", name="创建").click()
    key = owner.get_by_test_id("new-key").inner_text()
    owner.get_by_role("button", name="复制").click()
    expect(owner.get_by_role("button", name="已复制")).to_be_focused()
    owner.get_by_role("button", name="我已保存").click()
    owner.get_by_role("button", name="新建密钥").click()
    owner.keyboard.press("Control+V")
    expect(dialog.get_by_label("名称")).to_have_value(key)
    owner.keyboard.press("Escape")
    expect(owner.get_by_role("row").filter(has_text="ERP 同步")).to_be_visible()
    expect(owner.locator("body")).not_to_contain_text(key)

    with console.server.client as client:
        headers = {"Authorization": f"Bearer {key}"}
        assert client.get("/api/admin/users", headers=headers).status_code == 200
        owner.get_by_role("button", name="吊销: ERP 同步").click()
        owner.get_by_role("dialog").get_by_role("button", name="吊销").click()
        expect(owner.get_by_role("heading", name="还没有密钥")).to_be_visible()
        assert client.get("/api/admin/users", headers=headers).status_code == 401


def test_a_password_is_changed_by_who_knows_the_old_one(owner: Page, open_page: Callable[..., Page]) -> None:
    add_user(owner, "小陈", "the first password")
    page = open_page(f"{owner.url.partition('#')[0]}#/password")
    log_in(page, "小陈", "the first password")
    for old, said in (("not the first", "当前密码不正确"), ("the first password", "密码已修改")):
        page.get_by_label("当前密码").fill(old)
        page.get_by_label("新密码").fill("the second password")
        page.get_by_label("再输入一次").fill("the second password")
        page.get_by_role("button", name="保存新密码").click()
        expect(page.get_by_text(said)).to_be_visible()
    page.get_by_role("button", name="小陈").click()
    page.get_by_role("menuitem", name="退出登录").click()
    log_in(page, "小陈", "the second password")
    expect(page.get_by_role("button", name="小陈")).to_be_visible()


def test_the_audit_log_can_be_filtered(owner: Page) -> None:
    go_to(owner, "settings/audit", "设置")
    owner.get_by_role("searchbox").fill("no such thing")
    expect(owner.get_by_role("heading", name="没有符合的记录")).to_be_visible()
    owner.get_by_role("searchbox").fill("登录")
    expect(owner.get_by_role("row").filter(has_text=OWNER).first).to_be_visible()


def test_a_menu_closes_again_and_obeys_the_arrow_keys(owner: Page) -> None:
    opener = owner.get_by_role("button", name=OWNER)
    menu = owner.get_by_role("menu")
    for _ in range(2):
        opener.click()
        expect(menu).to_be_visible()
        opener.click()
        expect(menu).to_have_count(0)
    owner.keyboard.press("Enter")
    expect(menu.get_by_role("menuitemradio", name="中文")).to_be_focused()
    owner.keyboard.press("ArrowUp")
    expect(menu.get_by_role("menuitem", name="退出登录")).to_be_focused()
    owner.keyboard.press("ArrowDown")
    expect(menu.get_by_role("menuitemradio", name="中文")).to_be_focused()
    owner.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_the_language_is_switched_and_remembered(owner: Page) -> None:
    owner.get_by_role("button", name=OWNER).click()
    owner.get_by_role("menuitemradio", name="English").click()
    expect(owner.get_by_role("link", name="Settings")).to_be_visible()
    expect(owner.locator("html")).to_have_attribute("lang", "en")
    owner.reload()
    expect(owner.get_by_role("link", name="Settings")).to_be_visible()


def test_a_lost_connection_is_said_calmly_and_passes(owner: Page) -> None:
    go_to(owner, "settings/users", "设置")
    owner.route("**/api/admin/**", lambda route: route.abort())
    owner.get_by_role("link", name="API 密钥").click()
    expect(owner.get_by_text("连接不上服务器，正在重试…")).to_be_visible()
    expect(owner.get_by_role("alert")).to_contain_text("没能加载出来")
    owner.unroute("**/api/admin/**")
    owner.get_by_role("button", name="立即重试").click()
    expect(owner.get_by_text("连接不上服务器，正在重试…")).to_be_hidden()
    owner.get_by_role("button", name="重试", exact=True).click()
    expect(owner.get_by_role("heading", name="还没有密钥")).to_be_visible()


def test_a_phone_shows_the_navigation_on_demand_and_never_scrolls_sideways(
    open_page: Callable[..., Page], console: Console
) -> None:
    page = open_page(console.url, session=console.session, viewport=PHONE, has_touch=True)
    for address in ("settings/users", "settings/keys", "settings/audit", "password"):
        page.goto(f"{console.url}#/{address}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        assert page.evaluate("document.querySelector('main').scrollWidth") <= PHONE["width"], address
    navigation = page.get_by_role("navigation", name="主导航")
    expect(navigation).to_be_hidden()
    page.get_by_role("button", name="打开导航").click()
    expect(navigation).to_be_visible()
    page.keyboard.press("Escape")
    expect(navigation).to_be_hidden()
    page.get_by_role("button", name="打开导航").click()
    navigation.get_by_role("link", name="设置").click()
    expect(page.get_by_role("heading", name="设置")).to_be_visible()
    expect(navigation).to_be_hidden()


def test_the_keyboard_alone_is_enough(owner: Page) -> None:
    go_to(owner, "settings/users", "设置")
    owner.reload()
    expect(owner.get_by_role("heading", name="设置")).to_be_focused()
    keys = owner.get_by_role("link", name="API 密钥")
    for _ in range(20):
        owner.keyboard.press("Tab")
        if keys.evaluate("node => node === document.activeElement"):
            break
    expect(keys).to_be_focused()
    owner.keyboard.press("Enter")
    expect(owner.get_by_role("button", name="新建密钥")).to_be_visible()


def test_both_languages_say_the_same_things(owner: Page) -> None:
    words = (FOLDER / "words.js").read_text()
    collecting = words.replace("return books[language]", "(window.books ??= []).push(books); return books[language]")
    owner.route("**/static/words.js", lambda route: route.fulfill(body=collecting, content_type="text/javascript"))
    owner.reload()
    modules = [f"/admin/static/{path.relative_to(FOLDER).as_posix()}" for path in FOLDER.rglob("*.js")]
    shapes = """async (modules) => {
        await Promise.all(modules.filter((path) => !path.endsWith("/app.js")).map((path) => import(path)));
        const shape = (value) => value && typeof value === "object"
            ? Object.entries(value).map(([key, inner]) => [key, shape(inner)]).sort() : typeof value;
        return window.books.map(({ zh, en }) => [JSON.stringify(shape(zh)), JSON.stringify(shape(en))]);
    }"""
    pairs = owner.evaluate(shapes, modules)
    assert len(pairs) > 10
    for chinese, english in pairs:
        assert chinese == english
