# One papermill job a notebook. `make run` calls this file; so does a cluster:
#   snakemake --executor slurm --jobs 16 --config profile=gpu
# Only what changed reruns: a notebook, the packages that it uses, the weights that it reads.

from pathlib import Path

profile = config.get("profile", "embedded")
selected = str(config.get("notebooks", "") or "").split()
parameters = str(config.get("parameters", "") or "").split()

# Packages from the bottom up; a chapter's notebook uses its own and those below it.
PACKAGES = ["portraits", "stylegan", "labeling", "recommend", "llm", "rag", "companion"]
# How the names of the weights begin that a package reads.
WEIGHTS = {
    "stylegan": ["stylegan_"],
    "labeling": ["segmentation_", "gender_", "quality_", "property_", "face_ruler"],
    "recommend": ["autoencoder_"],
    "llm": ["oh_lora_"],
    "rag": ["memory_", "moderation_"],
}
CHAPTERS = {
    "01_stylegan": ["portraits", "stylegan"],
    "02_labeling": ["portraits", "stylegan", "labeling"],
    "03_recommend": ["portraits", "stylegan", "labeling", "recommend"],
    "04_llm": ["llm"],
    "05_rag": ["llm", "rag"],
    ".": PACKAGES,
}
NOTEBOOKS = {path.stem: path for path in sorted(Path("notebooks").glob("**/[0-9][0-9]_*.ipynb"))}

unknown = [name for name in selected if name not in NOTEBOOKS]
if unknown:
    raise WorkflowError(f"NOTEBOOKS={' '.join(unknown)} unknown; allowed: {' '.join(NOTEBOOKS)}")


def sources(chapter):
    """Files whose change makes a chapter's notebooks run again."""
    files = [str(path) for path in sorted(Path("lib/ohlora").glob("*.py"))] + [f"config/{profile}.yaml"]
    for package in CHAPTERS[chapter]:
        files += [str(path) for path in sorted(Path("lib/ohlora", package).glob("*.py"))]
        for beginning in WEIGHTS.get(package, []):
            files += [str(path) for path in sorted(Path("outputs/pretrained").glob(f"{beginning}*.safetensors"))]
    return files


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
            extra=" ".join(f"-p {pair.replace('=', ' ', 1)}" for pair in parameters),
        threads: 1
        message:
            f"{name}: running"
        shell:
            "papermill {input.notebook} {log.notebook} -k python3 --cwd {params.folder} -p profile {params.profile} {params.extra}"
            " --start-timeout 120 --execution-timeout 3600 --no-progress-bar > {log.text} 2>&1"
            " || (tail -n 30 {log.text}; exit 1)"
