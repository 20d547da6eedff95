"""The parts of docs/scale.md that this benchmark writes, each between two marks; what stands around them is kept."""

# In the order in which they come when they are not there yet.
SECTIONS = ("head", "cubes", "dimensions", "combinations", "monitors", "streams", "history", "machine", "validation")


def marks(section):
    """The lines around a section."""
    return f"<!-- bench-scale, {section}: written by `make bench-scale`; edits here are lost -->", f"<!-- bench-scale, {section}: end -->"


def write(file, texts):
    """Puts each text between its marks; a section that is not there yet comes at the end."""
    page = file.read_text() if file.exists() else "# Scale\n"
    for section in SECTIONS:
        if section not in texts:
            continue
        begin, end = marks(section)
        text = f"{begin}\n\n{texts[section].strip()}\n\n{end}"
        if begin in page and end in page:
            head, rest = page.split(begin, 1)
            page = head + text + rest.split(end, 1)[1]
        else:
            page = f"{page.rstrip()}\n\n{text}\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page)
