"""Texts in many encodings detected, with the compiled detector."""

from __future__ import annotations

import tempfile
from pathlib import Path

import charset_normalizer
from charset_normalizer import cd, constant, detect, from_bytes, from_path, is_binary, md

from uses import helpers

TEXTS = {
    "cp1252": "Voilà l'été, où les élèves étaient déjà à la forêt près du château. " * 4,
    "cp1251": "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 4,
    "big5": "這是一個繁體中文的測試文件，內容沒有什麼特別的意思。" * 6,
    "shift_jis": "これは日本語のテキストです。文字コードを判別します。" * 6,
    "utf_16": "Εν αρχή ην ο λόγος, και ο λόγος ην προς τον θεόν. " * 4,
    "utf_8": "Zażółć gęślą jaźń. Pchnąć w tę łódź jeża lub ośm skrzyń fig. " * 4,
}


def main() -> None:
    for encoding, text in TEXTS.items():
        best = from_bytes(text.encode(encoding)).best()
        print(
            encoding,
            best.encoding,
            best.language,
            round(best.chaos, 3),
            round(best.coherence, 3),
            str(best) == text,
        )
    print(detect("naïve café".encode()), is_binary(bytes(range(256)) * 10))
    print(md.__file__, md.mess_ratio("hÃ©llo wÃ´rld" * 10) > 0, cd.alphabet_languages(list("привет")))
    print(len(constant.UNICODE_RANGES_COMBINED), charset_normalizer.__version__)
    path = Path(tempfile.mkdtemp()) / "text.txt"
    path.write_bytes(TEXTS["cp1251"].encode("cp1251"))
    print(from_path(path).best().encoding)
    print(helpers.python("-m", "charset_normalizer", "--minimal", str(path)))
