"""Page tests of the web, in Chromium, against a server that runs."""

import os
import shutil
import subprocess

from harness import ROOT


def check_pages(server, *specs, **environment):
    """Runs page tests against a server; what they need to know goes into their environment."""
    assert shutil.which("chromium"), "run `make browser` first"
    done = subprocess.run(
        ["node", "--test", "--test-concurrency=1", *(f"e2e/{spec}.spec.mjs" for spec in specs)],
        cwd=ROOT / "web",
        env={**os.environ, "TILLWATCH_URL": f"http://127.0.0.1:{server.port}", **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
