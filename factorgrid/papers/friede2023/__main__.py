"""`python -m factorgrid.papers.friede2023 FOLDER...`: the claims over several studies as a Markdown table."""

import sys
from pathlib import Path

from factorgrid.errors import Error
from factorgrid.papers.friede2023.summary import summarise_studies

if __name__ == "__main__":
    try:
        print(summarise_studies([Path(name) for name in sys.argv[1:]]), end="")
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
