"""Copies the examples of OCPI 2.1.1 and 2.3.0 out of their texts into tests/data.

    python -m tests.domain.versions.extract_examples 2.1.1 CHECKOUT_OF_OCPI

CHECKOUT_OF_OCPI is a folder of github.com/ocpi/ocpi, branch release-2.1.1-bugfixes or
2.3.0/release/core. 2.1.1 has its examples inline: each is copied as it stands, with the request
line that some have, named by its file and the line where it begins. 2.3.0 has a folder of them.
The texts' licence is CC BY-ND 4.0: nothing of the copies is to be edited.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
_BLOCK = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)


def copy_inline(checkout: Path, target: Path) -> int:
    number = 0
    for file in sorted(checkout.glob("*.md")):
        text = file.read_text()
        for block in _BLOCK.finditer(text):
            line = text.count("\n", 0, block.start(1)) + 1
            (target / f"{file.stem}_{line}.txt").write_text(block[1])
            number += 1
    return number


def copy_folder(checkout: Path, target: Path) -> int:
    files = sorted((checkout / "examples").glob("*.json"))
    for file in files:
        shutil.copyfile(file, target / file.name)
    return len(files)


if __name__ == "__main__":
    version, source = sys.argv[1], Path(sys.argv[2])
    folder = DATA / f"spec_examples_{version.replace('.', '_')}"
    folder.mkdir(exist_ok=True)
    copied = (copy_inline if version == "2.1.1" else copy_folder)(source, folder)
    sys.stderr.write(f"{copied} examples\n")
