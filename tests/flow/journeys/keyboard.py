"""A person at the keyboard, who has no mouse, and looks where the focus is at each stop (WCAG 2.2)."""

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page, expect

_STOP = """() => {
  const all = [...document.querySelectorAll("*")], e = document.activeElement;
  if (!e || e === document.body) return { index: all.indexOf(document.body), fault: null, tag: "body" };
  const { left, top, width, height } = e.getBoundingClientRect();
  const { outlineStyle, outlineWidth } = getComputedStyle(e);
  const there = document.elementFromPoint(left + width / 2, top + height / 2);
  const isMarked = outlineStyle === "solid" && parseFloat(outlineWidth) >= 2;
  const isInSight = there && (e.contains(there) || there.contains(e));
  return {
    index: all.indexOf(e),
    fault: !isMarked ? "the focus is not shown" : !isInSight ? "the focus is out of sight" : null,
    tag: e.outerHTML.slice(0, 120),
  };
}"""
_INDEX = "e => [...document.querySelectorAll('*')].indexOf(e)"


@dataclass(frozen=True, slots=True)
class KeyboardUser:
    """Uses a page by Tab, Shift+Tab, Enter, Space and typing.

    Every method raises AssertionError where the focus is not shown or out of sight, and where a control
    cannot be reached in the order of the page.
    """

    page: Page

    async def open(self, uri: str) -> None:
        """Load a page."""
        await self.page.goto(uri)
        await self._arrive()

    async def reach(self, control: str) -> None:
        """Move the focus to the first control that the selector matches."""
        wanted = self.page.locator(control).first
        await expect(wanted).to_be_visible()
        index, stop = await wanted.evaluate(_INDEX), await self._look()
        key, direction = ("Tab", 1) if index > stop["index"] else ("Shift+Tab", -1)
        while stop["index"] != index:
            await self.page.keyboard.press(key)
            there = await self._look()
            is_onward = (there["index"] - stop["index"]) * direction > 0
            assert is_onward, f"{key} leads from {stop['tag']} to {there['tag']} and never to {control}"
            stop = there

    async def type(self, control: str, text: str) -> None:
        """Type into a field, in place of what is in it."""
        await self.reach(control)
        if await self.page.locator(control).input_value():
            await self.page.keyboard.press("Tab")
            await self.page.keyboard.press("Shift+Tab")  # selects all of it
        await self.page.keyboard.type(text)

    async def press(self, control: str, key: str = "Enter") -> None:
        """Use a control that leads to no other page."""
        await self.reach(control)
        await self.page.keyboard.press(key)

    async def follow(self, control: str, key: str = "Enter") -> None:
        """Use a control that leads to another page, and wait for that page."""
        await self.reach(control)
        async with self.page.expect_navigation():
            await self.page.keyboard.press(key)
        await self._arrive()

    async def is_at(self, heading: str) -> None:
        """Expect the page with this heading."""
        await expect(self.page.locator("h1")).to_have_text(heading)

    async def _arrive(self) -> None:
        focused = self.page.locator("[autofocus]")
        if await focused.count():
            await expect(focused).to_be_focused()

    async def _look(self) -> Any:
        stop = await self.page.evaluate(_STOP)
        assert stop["fault"] is None, f"{stop['fault']}: {stop['tag']}"
        return stop
