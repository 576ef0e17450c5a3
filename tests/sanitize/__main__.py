"""Builds and runs both; prints what it ran."""

import sys
import time

import sanitize


def report(what, start, outcome):
    """One line, or all of the output where something was found."""
    status, output = outcome
    good = status in (0, 5)  # 5: no test of the file is a quick one
    last = output.strip().splitlines()[-1]
    print(f"{what}: {last if good else output} ({time.monotonic() - start:.0f} s)", flush=True)
    return good


def main():
    start = time.monotonic()
    good = [report("threads, ThreadSanitizer", start, sanitize.run_thread_program())]
    library = sanitize.address_build()
    print(f"AddressSanitizer and UndefinedBehaviorSanitizer: {library}", flush=True)
    environment = sanitize.address_environment(library)
    probe = "import fastloss._core as core; print(core.__file__)"
    outcome = sanitize.run([sys.executable, "-P", "-c", probe], **environment)
    assert str(library) in outcome[1], outcome[1]

    def tested(name):
        begin = time.monotonic()
        return report(name, begin, sanitize.run_tests(name, environment))

    good += sanitize.in_parallel(tested, sanitize.suitable_files())
    for name, why in sanitize.UNSUITABLE.items():
        print(f"{name} left out: {why}")
    for name in sanitize.DESELECTED:
        print(f"{name} left out: freed memory is kept")
    print(f"{'nothing found' if all(good) else 'FAILED'} ({time.monotonic() - start:.0f} s)")
    return not all(good)


if __name__ == "__main__":
    sys.exit(main())
