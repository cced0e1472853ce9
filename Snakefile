# One papermill job a notebook, a combination of parameters, a shard of labels. `make run`, `make sweep` and
# `make labels` call this file, here or on a cluster (docs/batch.md).
# Only what changed reruns: a notebook, the packages that it uses, the weights that it reads.

import shlex
from pathlib import Path

profile = config.get("profile", "embedded")
selected = str(config.get("notebooks", "") or "").split()
parameters = str(config.get("parameters", "") or "").split()
swept = str(config.get("sweep", "") or "")
count, shards = int(config.get("count", 240_000)), int(config.get("shards", 16))
block, pictures = int(config.get("block", 500)), int(config.get("pictures", 0))

# Packages from the bottom up; a chapter's notebook uses its own and those below it.
PACKAGES = ["portraits", "stylegan", "labeling", "recommend", "llm", "rag", "companion"]
# How the names of the weights begin that a package reads.
WEIGHTS = {
    "stylegan": ["stylegan_"],
    "labeling": ["segmentation_", "gender_", "quality_", "property_", "face_ruler"],
    "recommend": ["autoencoder_"],
    "llm": ["oh_lora_"],
    "rag": ["memory_", "moderation_", "dialogue_"],
}
CHAPTERS = {
    "01_stylegan": ["portraits", "stylegan"],
    "02_labeling": ["portraits", "stylegan", "labeling"],
    "03_recommend": ["portraits", "stylegan", "labeling", "recommend"],
    "04_llm": ["llm", "rag"],
    "05_rag": ["llm", "rag"],
    ".": PACKAGES,
}
# Without a graphics card even in the profile gpu: the renderer, and the texts of the persona.
PROCESSOR_ONLY = ["01_portraits", "10_persona_data"]
NOTEBOOKS = {path.stem: path for path in sorted(Path("notebooks").glob("**/[0-9][0-9]_*.ipynb"))}

unknown = [name for name in selected if name not in NOTEBOOKS]
if unknown:
    raise WorkflowError(f"NOTEBOOKS={' '.join(unknown)} unknown; allowed: {' '.join(NOTEBOOKS)}")


def weights(packages):
    """Shipped weights that these packages read."""
    names = [f"{beginning}*.safetensors" for package in packages for beginning in WEIGHTS.get(package, [])]
    return [str(path) for name in names for path in sorted(Path("outputs/pretrained").glob(name))]


def sources(chapter):
    """Files whose change makes a chapter's notebooks run again."""
    folders = [Path("lib/ohlora"), *(Path("lib/ohlora", package) for package in CHAPTERS[chapter])]
    code = [str(path) for folder in folders for path in sorted(folder.glob("*.py"))]
    return [*code, f"config/{profile}.yaml", *weights(CHAPTERS[chapter])]


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
        weights(["stylegan", "labeling"]),
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
