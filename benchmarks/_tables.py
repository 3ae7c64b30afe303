"""The tables of docs/instructors.md that a measured class fills in."""

import math
import re
import textwrap
from datetime import date

SIZES = 20, 50, 100, 200  # learners at once
SYSTEM = 1000  # megabytes for the operating system
QUIET = 0.7  # processes that may run before the measurement begins
ROOM = 1.2  # for learners who leave a second notebook open


def rewritten(document, record):
    """Return the document with each table between its marks as `record` has it."""
    for name, write in TABLES.items():
        marked = rf"(<!-- {name}: [^>]*-->\n).*?(<!-- end -->)"
        table = write(record)
        document, found = re.subn(
            marked, lambda m, table=table: f"{m[1]}\n{table}\n\n{m[2]}", document, flags=re.DOTALL
        )
        if found != 1:
            raise ValueError(f"the document has {found} places marked {name}, not one")
    return document


def up(value, step):
    """Round up to a multiple of `step`."""
    return math.ceil(round(value / step, 9)) * step


def limits(record):
    """Return what to guarantee a learner and where to stop them: megabytes twice, cores twice."""
    rss = record["memory_mb"]["rss"]
    return up(rss["peak"], 50), up(2 * rss["highest"], 256), cores(record, 1), 1


def cores(record, learners):
    """Return the cores at which so many learners wait as long as the measured ones did."""
    return learners * record["machine"]["cores"] / record["setting"]["learners"]


def measured(record):
    """Return what was measured, in words and as a table."""
    setting, machine, versions = (record[name] for name in ("setting", "machine", "versions"))
    day = date.fromisoformat(record["date"])
    failures = len(record["failures"])
    programs = ", ".join(f"{name} {versions[key]}" for key, name in PROGRAMS.items())
    quiet = "" if setting["load_before"] < QUIET else "**Other work ran on the machine meanwhile.** "
    words = fill(
        f"Measured on {day.day} {day:%B %Y} (`make classroom`): {setting['learners']} learners at once, in a "
        f"JupyterHub on one machine with {machine['cores']} cores ({machine['processor']}) and "
        f"{machine['memory_gb']} GB. All logged in at the same moment, opened notebook 02, chose *Run All "
        "Cells* in the same second, then ran the cells of its live views again and moved each slider, after "
        f"some {setting['think_seconds']:g} seconds of thought: {setting['browsers']} in a real browser, on "
        f"the same machine, the others with the same messages but without a screen. {quiet}"
        f"**Failures: {failures or 'none'}.** ({programs}.)"
    )
    light, browser = record["seconds"]["light"], record["seconds"]["browser"]
    slider, memory, used = record["slider_ms"], record["memory_mb"], record["cpu_seconds"]

    def two(figures, unit, digits=0):
        return f"{figures['median']:.{digits}f} {unit} | {figures['p95']:.{digits}f} {unit}"

    rows = [
        ["time to wait", "median", "95th percentile"],
        ["from the log-in to an open notebook, all at the same moment", two(light["enter"], "s")],
        ["*Run All Cells* in notebook 02, all in the same second", two(light["run"], "s")],
        ["a slider's answer, without a screen", two(slider["light"], "ms")],
        ["a slider's picture in the browser", two(slider["browser"], "ms")],
        ["**processor time of a learner**", "**median**", "**95th percentile**"],
        ["server and kernel start, notebook opened", two(used["enter"], "s", 1)],
        ["*Run All Cells* in notebook 02", two(used["run"], "s", 1)],
        ["sliders of three live views", two(used["slide"], "s", 1)],
        ["**memory of a learner's server and kernel, at its peak**", "**median**", "**highest**"],
        ["on one machine, shared pages shared out (PSS)", peak(memory["pss"])],
        ["in a container of its own (RSS)", peak(memory["rss"])],
        ["the learner's alone (USS)", peak(memory["uss"])],
    ]
    hub = f"The hub and its proxy took {memory['hub']} MB."
    if browser["run"]["number"]:
        hub += f" In the browser *Run All Cells* took {browser['run']['median']:.0f} s, pictures and all."
    return words + "\n\n" + table(rows) + "\n\n" + hub


PROGRAMS = {
    "jupyterhub": "JupyterHub",
    "jupyterlab": "JupyterLab",
    "configurable-http-proxy": "configurable-http-proxy",
    "chromium": "Chromium",
}


def fill(text):
    """Return a paragraph in lines."""
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def peak(figures):
    """Return two cells of a table."""
    return f"{figures['peak']} MB | {figures['highest']} MB"


def table(rows):
    """Return rows of cells as Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def sizes(record):
    """Return a table: memory and cores for so many learners at once."""
    memory = record["memory_mb"]
    rows = [["learners at once", "memory", "cores"]]
    for learners in SIZES:
        megabytes = SYSTEM + memory["hub"] + ROOM * learners * memory["pss"]["peak"]
        rows.append([str(learners), f"{up(megabytes / 1000, 1)} GB", f"{up(cores(record, learners), 1)}"])
    rule = fill(
        f"Memory: {SYSTEM / 1000:g} GB for the system, {memory['hub']} MB for the hub, and for each learner "
        f"the median peak of {memory['pss']['peak']} MB and a fifth more, for a second notebook. Cores: "
        f"those of the measured machine for each {record['setting']['learners']} learners."
    )
    return table(rows) + "\n\n" + rule


def tljh(record):
    """Return commands for The Littlest JupyterHub."""
    _, limit, _, most = limits(record)
    return f"""```bash
sudo tljh-config set limits.memory {limit}M
sudo tljh-config set limits.cpu {most}
sudo tljh-config set user_environment.default_app jupyterlab
sudo mkdir -p /opt/tljh/config/jupyterhub_config.d
sudo tee /opt/tljh/config/jupyterhub_config.d/course.py << END
c.Spawner.environment = {{
    "OPENBLAS_NUM_THREADS": "1",
    "JUPYTER_RUNTIME_DIR": lambda spawner: f"/home/jupyter-{{spawner.user.name}}/.run",
}}
c.Spawner.args = ["--KernelManager.transport=ipc"]
c.Spawner.start_timeout = 300
c.Spawner.http_timeout = 300
END
sudo tljh-config reload
```"""


def values(record):
    """Return an excerpt of values.yaml."""
    guarantee, limit, share, most = limits(record)
    return f"""```yaml
singleuser:
  image:
    name: REGISTRY/course
    tag: "1"
  defaultUrl: /lab
  startTimeout: 300
  memory:
    guarantee: {guarantee}M
    limit: {limit}M
  cpu:
    guarantee: {share:g}
    limit: {most}
  extraEnv:
    OPENBLAS_NUM_THREADS: "1"
hub:
  config:
    KubeSpawner:
      http_timeout: 300
scheduling:
  podPriority:
    enabled: true
  userPlaceholder:
    enabled: true
    replicas: 20
```"""


TABLES = {"measured": measured, "sizes": sizes, "tljh": tljh, "values": values}
