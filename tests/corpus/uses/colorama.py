"""Colours written, stripped and reset, on streams wrapped and not."""

from __future__ import annotations

import io
import sys

import colorama
from colorama import Back, Cursor, Fore, Style, ansi, ansitowin32


def main() -> None:
    text = f"{Fore.RED}red{Back.LIGHTBLUE_EX}{Style.BRIGHT}bright{Style.RESET_ALL} {Cursor.UP(2)}{ansi.clear_screen()}"
    print(repr(text), ansi.code_to_chars(31), ansi.set_title("t"))
    out = io.StringIO()
    ansitowin32.AnsiToWin32(out, strip=True).write(text)
    print(repr(out.getvalue()))
    colorama.init(strip=True)
    print(text, type(sys.stdout).__name__)
    colorama.deinit()
    with colorama.colorama_text(autoreset=True, strip=False):
        print(Fore.GREEN + "green")
        print("plain again")
    colorama.just_fix_windows_console()
    print(sorted(name for name in vars(Fore) if not name.startswith("_"))[:3], colorama.__version__)
