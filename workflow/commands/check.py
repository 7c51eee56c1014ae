"""Check the config files before Snakemake reads them, which does not say where a file is no YAML."""

from experiment import parse

if __name__ == "__main__":
    parse(__doc__)
