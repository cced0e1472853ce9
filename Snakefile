# One papermill job a notebook, a combination of parameters, a shard of labels. `make run`, `make sweep` and
# `make labels` call this file, here or on a cluster (docs/batch.md).
# Only what changed reruns: a notebook, and what it uses of the packages, the shipped weights and data/.

import re
import shlex
from pathlib import Path

profile = config.get("profile", "embedded")
selected = str(config.get("notebooks", "") or "").split()
parameters = str(config.get("parameters", "") or "").split()
swept = str(config.get("sweep", "") or "")
count, shards = int(config.get("count", 240_000)), int(config.get("shards", 16))
block, pictures = int(config.get("block", 500)), int(config.get("pictures", 0))

# Packages from the bottom up.
PACKAGES = ["portraits", "stylegan", "labeling", "recommend", "llm", "rag", "companion"]
# How the names of the shipped weights of portraits and their labels begin.
PORTRAIT_WEIGHTS = ["stylegan_", "segmentation_", "gender_", "quality_", "property_"]
PORTRAIT_FILES = [*PORTRAIT_WEIGHTS, "face_ruler"]
HER_DATA = ["answers", "dialogues", "memory", "moderation", "persona", "prompts", "expressions.yaml", "phrases.yaml"]
# What the notebooks of a chapter use: packages, beginnings of the names in outputs/pretrained ("": all of them), data/.
# The last chapters read every weight file, so that a new one is an input at once. outputs/weights is none: there the
# notebooks of a chapter write what the others of it read, and each would make the others run again for ever.
CHAPTERS = {
    "01_stylegan": (["portraits", "stylegan", "labeling"], PORTRAIT_FILES, ["portraits"]),
    "02_labeling": (["portraits", "stylegan", "labeling"], PORTRAIT_FILES, ["portraits"]),
    "03_recommend": (
        ["portraits", "stylegan", "labeling", "recommend", "companion"],  # 09 gives her the face that is liked best
        [*PORTRAIT_FILES, "autoencoder_", "neighbour_search"],
        ["portraits", "persona"],
    ),
    "04_llm": (
        ["llm", "rag"],
        ["oh_lora_", "sft_comparison", "dialogue_examples", "e5_adapter"],
        ["dialogues", "persona", "prompts"],
    ),
    "05_rag": (PACKAGES, [""], HER_DATA),  # 14 talks with the whole of her
    ".": (PACKAGES, [""], HER_DATA),
}
# Without a graphics card even in the profile gpu: the renderer, and the texts of the persona.
PROCESSOR_ONLY = ["01_portraits", "10_persona_data"]
NOTEBOOKS = {path.stem: path for path in sorted(Path("notebooks").glob("**/[0-9][0-9]_*.ipynb"))}

unknown = [name for name in selected if name not in NOTEBOOKS]
if unknown:
    raise WorkflowError(f"NOTEBOOKS={' '.join(unknown)} unknown; allowed: {' '.join(NOTEBOOKS)}")


def shipped(beginnings, suffix=""):
    """Shipped files with these beginnings of their names: weights, their cards, and reports made with them."""
    files = [path for path in sorted(Path("outputs/pretrained").glob(f"*{suffix}")) if path.suffix != ".tmp"]
    return [str(path) for path in files if path.name.startswith(tuple(beginnings))]


def measuring(packages):
    """Modules of ohlora.evaluation that measure with these packages, or with none."""
    others = set(PACKAGES) - set(packages)
    for path in sorted(Path("lib/ohlora/evaluation").glob("*.py")):
        if not others.intersection(re.findall(r"^ *from ohlora\.(\w+)", path.read_text(encoding="utf-8"), re.M)):
            yield str(path)


def sources(chapter):
    """Files whose change makes a chapter's notebooks run again."""
    packages, beginnings, data = CHAPTERS[chapter]
    folders = [Path("lib/ohlora"), *(Path("lib/ohlora", package) for package in packages)]
    code = [path for folder in folders for path in sorted(folder.glob("*")) if path.suffix in (".py", ".npz")]
    read = [path for name in data for path in (Path("data", name), *sorted(Path("data", name).rglob("*")))]
    read = [path for path in read if path.is_file() and path.suffix != ".md"]
    return [*map(str, [*code, *read]), *measuring(packages), f"config/{profile}.yaml", *shipped(beginnings)]


def needs(name):
    """What a scheduler has to set aside for a notebook: memory (MB), minutes, graphics cards."""
    if profile == "embedded":
        return {"mem_mb": 6000, "runtime": 60}
    return {"mem_mb": 24000, "runtime": 360} | ({} if name in PROCESSOR_ONLY else {"gpu": 1})


def asked_for(name):
    """The same in words, for the line that says that it runs."""
    return ", ".join(f"{key}={value}" for key, value in needs(name).items())


def papermill_arguments(pairs):
    """name=value, … → -p name value …"""
    return " ".join(f"-p {shlex.join(pair.split('=', 1))}" for pair in pairs)


# The outputs folder follows from where the rule wants metrics.json, so that no run writes into another's.
RUN_NOTEBOOK = (
    'export OHLORA_OUTPUTS="$(dirname "$(dirname "$(realpath -m {output.metrics})")")"; '
    "papermill {input.notebook} {log.notebook} -k python3 --cwd {params.folder} -p profile {params.profile} {params.extra}"
    " --start-timeout 120 --execution-timeout 3600 --no-progress-bar > {log.text} 2>&1"
    " || (tail -n 30 {log.text}; exit 1)"
)


rule all:
    input:
        [f"outputs/{name}/metrics.json" for name in (selected or NOTEBOOKS)],


for name, path in NOTEBOOKS.items():

    rule:
        name:
            f"notebook_{name}"
        input:
            notebook=str(path),
            sources=sources(str(path.parent.relative_to("notebooks"))),
        output:
            metrics=f"outputs/{name}/metrics.json",
        # Snakemake removes the outputs of a failed job but keeps its logs: the executed notebook,
        # with the traceback in it, is one.
        log:
            notebook=f"outputs/{name}/executed.ipynb",
            text=f"outputs/{name}/papermill.log",
        params:
            profile=profile,
            folder=str(path.parent),
            extra=papermill_arguments(parameters),
        threads: 1
        resources:
            **needs(name),
        message:
            f"{name}: running ({asked_for(name)})"
        shell:
            RUN_NOTEBOOK

    # The same with its own folder for everything: outputs/sweeps/<notebook>/seed=0,n_rated=30. It sees the weights
    # and the corpora that you made, as links; what it trains replaces a link, never your file.
    rule:
        name:
            f"sweep_{name}"
        input:
            notebook=str(path),
            sources=sources(str(path.parent.relative_to("notebooks"))),
        output:
            metrics=f"outputs/sweeps/{name}/{{combination}}/{name}/metrics.json",
        log:
            notebook=f"outputs/sweeps/{name}/{{combination}}/executed.ipynb",
            text=f"outputs/sweeps/{name}/{{combination}}/papermill.log",
        wildcard_constraints:
            combination="[^/]+",
        params:
            profile=profile,
            folder=str(path.parent),
            extra=lambda wildcards: papermill_arguments(wildcards.combination.split(",")),
        threads: 1
        resources:
            **needs(name),
        message:
            f"{name} with {{wildcards.combination}}: running ({asked_for(name)})"
        shell:
            'own="$(dirname "$(dirname "$(realpath -m {output.metrics})")")"; mkdir -p "$own/weights"; '
            'for file in "$PWD"/outputs/weights/*.*; do [ ! -e "$file" ] || ln -sf "$file" "$own/weights/"; done; '
            'for folder in "$PWD"/outputs/corpus_*; do [ ! -e "$folder" ] || ln -sfn "$folder" "$own/"; done; '
            + RUN_NOTEBOOK


if swept:
    from papermill import inspect_notebook

    from ohlora.evaluation.sweep import combinations, metrics_path

    if not selected:
        raise WorkflowError("NOTEBOOKS= is empty; a sweep needs the notebooks that it runs, e.g. 09_ratings_knn")
    try:
        runs = combinations(swept)
    except ValueError as error:
        raise WorkflowError(str(error))
    for name in selected:  # papermill itself only warns
        strange = set(runs[0]) - set(inspect_notebook(str(NOTEBOOKS[name])))
        if strange:
            raise WorkflowError(f"{name} has no parameter {', '.join(sorted(strange))}; its first cell lists what it has")

    rule sweep:
        input:
            [str(metrics_path(Path("outputs"), name, run)) for name in selected for run in runs],


# Generated portraits with their labels: outputs/labels/<profile>_<count>/labels.npz.
LABELS = f"outputs/labels/{profile}_{count}"


rule labels:
    input:
        [f"{LABELS}/shard_{shard:04d}_of_{shards:04d}.npz" for shard in range(shards)],
    output:
        f"{LABELS}/labels.npz",
    params:
        plan=f"--profile {profile} --count {count} --shards {shards} --block {block}",
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "labels: joining the shards"
    shell:
        "python -m ohlora.labeling.shards {params.plan} --merge --output $(dirname {output})"


# Days of work: only other weights make it again, not a comment in the code.
rule label_shard:
    input:
        shipped(PORTRAIT_WEIGHTS, ".safetensors"),
    output:
        f"{LABELS}/shard_{{shard}}_of_{shards:04d}.npz",
    params:
        plan=f"--profile {profile} --count {count} --shards {shards} --block {block} --pictures {pictures}",
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30 + count // shards // 60,  # at one portrait a second
        **({} if profile == "embedded" else {"gpu": 1}),
    message:
        f"labels: shard {{wildcards.shard}} of {shards}"
    shell:
        "python -m ohlora.labeling.shards {params.plan} --shard {wildcards.shard} --output $(dirname {output})"
