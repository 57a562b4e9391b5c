"""``python3 -m tests.stories --count N --seed S``: many more of the stories that the unit tests play."""

from __future__ import annotations

import argparse
import sys
import time
from random import Random

from demo.bootstrap import enter


def main() -> int:
    """Play them; print what is false, and how to play it again."""
    enter("tests.stories")
    parser = argparse.ArgumentParser(prog="python3 -m tests.stories", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many stories")
    parser.add_argument("--seed", type=int, default=0, help="which: the same seed tells the same ones")
    parser.add_argument("--only", type=int, help="the number of one to play again")
    options = parser.parse_args()
    from .world import make_plan, tell  # noqa: PLC0415 - only now is everything installed

    numbers = range(options.count) if options.only is None else [options.only]
    began, failed = time.monotonic(), 0
    for number in numbers:
        plan = make_plan(Random(f"{options.seed} {number}"))
        try:
            lies = tell(plan)
        except Exception as error:
            lies = [f"{type(error).__name__}: {error}"]
        if lies:
            failed += 1
            print(f"--seed {options.seed} --only {number}: {lies}\n  {plan}", flush=True)
    seconds = time.monotonic() - began
    print(f"seed {options.seed}: {len(numbers)} stories in {seconds:.0f} s, {failed} false", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
