"""The live page in a real browser: values, keyboard, screen readers, phones, light and dark."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tensorspin import Board
from tensorspin.server.boards.live import anneals
from tensorspin.server.boards.live.digits import Digits
from tensorspin.server.boards.live.tasks import Slider

from ...support import browser
from ...support.servers import RunningBoards

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(browser.missing()), reason=browser.missing()),
]

PATIENCE = 60_000
"""Milliseconds until an answer must have come; the first digit waits for a training."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A server without TLS and tokens."""
    boards = ("golden://icebreaker", "golden://icebreaker_annealer")
    running = RunningBoards(tmp_path_factory.mktemp("page"), boards=boards, clear=True)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium():
    with browser.opened() as opened:
        yield opened


@pytest.fixture
def open_page(chromium, plain):
    """Opens the page, and looks at the end whether it has complained or asked another host."""
    pages, complaints, asked = [], [], []

    def open_page(width=1100, scheme="light", url=plain.url, **options):
        page = chromium.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert not [text for text in complaints if "401" not in text]
    assert asked and all(re.match(r"https?://127\.0\.0\.1:|data:,", url) for url in asked)


def expect(page, selector):
    """What Playwright waits for, at a place of the page."""
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=PATIENCE)
    return playwright_expect(page.locator(selector))


def labels(page):
    """What a screen reader says of each pixel."""
    return page.locator("#drawing [role=gridcell]").evaluate_all(
        "cells => cells.map(cell => cell.getAttribute('aria-label'))"
    )


def test_an_example_has_the_values_of_the_golden_model(open_page):
    digits = Digits()
    with Board.open("golden://icebreaker") as board:
        told = digits.classify(board, np.array(digits.examples()[0], dtype=float))
    page = open_page()
    page.get_by_role("button", name="Example").click()
    share = f"{100 * max(told['shares']):.1f}"
    expect(page, "#digit-answer").to_have_text(f"The board says {told['digit']}, with {share} %.")
    expect(page, "#digit-cycles").to_have_text(f"{told['cycles']:,}")
    expect(page, "#digit-time").to_have_text("39.3 µs at 45 MHz")
    expect(page, "#digit-accuracy").to_have_text(f"{100 * told['accuracy']:.1f} %")
    scores = page.locator("#scores td.number").all_inner_texts()
    assert [int(score.replace(",", "")) for score in scores] == told["scores"]
    assert page.locator("#scores tr.first th").inner_text() == str(told["digit"])
    most = f"{max(told['entanglement']):.2f} at most"
    expect(page, "#chain-answer").to_contain_text(most)
    assert page.locator("#chain rect.now").count() == 64


def test_a_finger_draws_and_the_answer_follows(open_page):
    page = open_page()
    expect(page, "#digit-answer").to_have_text("Nothing is drawn yet.")
    frame = page.locator("#drawing").bounding_box()
    middle = frame["x"] + 0.55 * frame["width"]
    page.mouse.move(middle, frame["y"] + 0.1 * frame["height"])
    page.mouse.down()
    page.mouse.move(middle, frame["y"] + 0.9 * frame["height"], steps=12)
    page.mouse.up()
    expect(page, "#digit-answer").to_contain_text("The board says 1")
    inked = [label for label in labels(page) if "ink" in label]
    assert 8 <= len(inked) <= 24
    expect(page, "#chain-answer").to_contain_text(f"{len(inked)} of 64 pixels have ink")
    page.get_by_role("button", name="Clear").click()
    expect(page, "#digit-answer").to_have_text("Nothing is drawn yet.")
    assert not [label for label in labels(page) if "ink" in label]


def test_the_keyboard_draws_too(open_page):
    page = open_page()
    expect(page, "#digit-cycles").not_to_have_text("-")
    page.locator("#drawing [role=gridcell][tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert labels(page)[9] == "row 2, column 2: 100 % ink"
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "row 2, column 2: 100 % ink"
    expect(page, "#chain-answer").to_contain_text("1 of 64 pixels have ink")
    expect(page, "#digit-answer").to_contain_text("The board says")
    page.keyboard.press("Delete")
    assert labels(page)[9] == "row 2, column 2: empty"
    for _ in range(9):
        page.keyboard.press("ArrowUp")  # and stays at the edge
    assert page.evaluate("document.activeElement.getAttribute('aria-label')")[:5] == "row 1"


def test_everything_is_reached_by_the_tab_key_in_its_order(open_page):
    page = open_page()
    expect(page, "#verdict").not_to_be_empty()
    reached = []
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.getAttribute('role')"
            )
        )
    order = ["digit-board", "digit-clear", "digit-example", "gridcell", "anneal-board"]
    order += ["anneal-size", "anneal-start", "anneal-new", "deadline", "link", "processor", "kind"]
    assert [each for each in dict.fromkeys(reached) if each in order] == order


def test_a_screen_reader_finds_names_for_everything(open_page):
    page = open_page()
    expect(page, "#verdict").not_to_be_empty()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll(
                'button, select, input, svg, [role=grid], [role=gridcell]')]
            .filter(each => each.offsetParent !== null || each.ownerSVGElement === null)
            .filter(each => !(each.labels && each.labels.length) && !each.textContent.trim()
                && !each.getAttribute('aria-label') && !each.getAttribute('aria-labelledby'))
            .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert not nameless
    snapshot = page.locator("body").aria_snapshot()
    for words in ('slider "Deadline', 'grid "Drawing of 8 by 8 pixels"', 'heading "Boards"'):
        assert words in snapshot
    assert page.locator("html").get_attribute("lang") == "en"
    for answer in ("#digit-answer", "#anneal-answer", "#verdict"):
        assert page.locator(answer).get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("kind", ["graph", "knapsack"])
def test_an_anneal_ends_where_it_does_without_a_browser(open_page, kind):
    page = open_page()
    page.locator(f"input[value={kind}]").check()
    page.locator("#anneal-size").fill("10")
    page.get_by_role("button", name="Anneal").click()
    puzzle = anneals.make_puzzle(kind, 10, 0)
    with Board.open("golden://icebreaker_annealer") as board:
        *_, last = anneals.watch(board, puzzle, 0)
    told = last["told"]
    words = (
        f"{told['cut']} of {told['edges']} edges are cut"
        if kind == "graph"
        else f"value {told['value']}, weight {told['weight']} of {puzzle.drawing['limit']}"
    )
    expect(page, "#anneal-answer").to_have_text(f"Done: {words}.")
    expect(page, "#anneal-cycles").to_have_text(f"{last['cycles']:,}")
    expect(page, "#anneal-energy").to_have_text(f"{last['energy']:.2f}")
    points = page.locator("#energy polyline.curve:not(.mean)").get_attribute("points").split()
    assert len(points) == anneals.STAGES
    assert page.locator("#puzzle .one").count() == sum(last["state"])
    if kind == "graph":
        assert page.locator("#puzzle .edge.cut").count() == told["cut"]


def test_an_anneal_can_be_stopped_and_begun_again(open_page):
    page = open_page()
    page.get_by_role("button", name="Anneal").click()
    expect(page, "#anneal-answer").to_contain_text("Stage")
    page.get_by_role("button", name="Stop").click()
    expect(page, "#anneal-answer").to_contain_text("Stopped.")
    page.get_by_role("button", name="New problem").click()
    expect(page, "#anneal-answer").to_contain_text("Done")


def test_the_slider_has_the_verdict_of_the_report(open_page):
    page = open_page()
    slider, answers = Slider(), {"local": "The board alone", "not feasible": "Neither of them"}
    deadline = page.get_by_role("slider", name="Deadline")
    for power, words in ((-1, "100 ms"), (-4, "100 µs"), (2, "100 s")):
        deadline.fill(str(power))
        told = slider.judge(10.0**power, "lan", "boston", "icebreaker")
        expect(page, "#deadline-shown").to_have_text(words)
        assert deadline.get_attribute("aria-valuetext") == words
        expect(page, "#verdict").to_contain_text(f"within {words}. What decides: {told['barrier']}")
        expect(page, "#verdict").to_contain_text(answers.get(told["answer"], ""))
        assert page.locator("#barriers tr").count() == 5
    deadline.press("ArrowLeft")
    expect(page, "#deadline-shown").to_have_text("89.1 s")
    page.locator("#link").select_option("lora")
    expect(page, "#verdict").not_to_contain_text("123 ms")


def test_boards_and_what_they_do(open_page):
    page = open_page()
    expect(page, "#status tr").to_have_count(2)
    first = page.locator("#status tr").first
    for words in ("icebreaker", "contractor", "45 MHz", "golden://icebreaker"):
        assert words in first.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 375, 768])
def test_nothing_sticks_out_on_a_phone(open_page, width, scheme):
    page = open_page(width, scheme, has_touch=True)
    page.get_by_role("button", name="Example").tap()
    expect(page, "#digit-answer").to_contain_text("The board says")
    expect(page, "#verdict").not_to_be_empty()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.locator("button:visible, select:visible").evaluate_all(
        "all => all.filter(each => each.getBoundingClientRect().height < 36).length"
    )
    assert small == 0
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(251, 250, 247)" if scheme == "light" else "rgb(20, 22, 27)")


def test_a_token_is_asked_for_where_one_is_needed(open_page, server):
    page = open_page(url=server.url, ignore_https_errors=True)
    token = page.get_by_label("Token of this server")
    token.fill("tsp_wrong")
    page.get_by_role("button", name="Come in").click()
    expect(page, "#problem").to_have_text("the token is unknown")
    token.fill(server.token)
    page.get_by_role("button", name="Come in").click()
    expect(page, "#digit-cycles").not_to_have_text("-")
    expect(page, "#entry").to_be_hidden()
    assert server.token not in page.url
