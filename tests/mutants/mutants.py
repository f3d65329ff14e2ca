"""The mutants of a module: mutmut's changes, inside and outside of functions, one at a time."""

import ast
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode


@dataclass(frozen=True, slots=True)
class MutantChange:
    """The identity of a mutant: the module, the function or class, and the lines that differ."""

    module: str
    place: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((f"{self.module} {self.place}".rstrip(), *self.lines))


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change, and the source of the module after it."""

    change: MutantChange
    source: str = field(repr=False)


class _Changes(MutationVisitor):
    """A mutation that includes decorated functions, which mutmut's own runner skips."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        is_left_alone = not super().on_visit(node)
        if is_left_alone and isinstance(node, cst.FunctionDef):
            node.body.visit(self)
        return not is_left_alone


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """The mutants of *module* with the text *source*."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = _Changes(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    tree, before = ast.parse(source), source.splitlines()
    for mutation in visitor.mutations:
        mutated = wrapper.module.deep_replace(mutation.original_node, mutation.mutated_node)
        assert isinstance(mutated, cst.Module)
        line, lines = _difference(before, mutated.code.splitlines())
        yield Mutant(MutantChange(module, _place(tree, line), lines), mutated.code)


def _difference(before: Sequence[str], after: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """The number of the first line that differs, and all differing lines, as in a diff."""
    changes = [
        change
        for change in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if change[0] != "equal"
    ]
    lines = [
        line
        for _, start, end, new_start, new_end in changes
        for line in (
            *(f"-{line}" for line in before[start:end]),
            *(f"+{line}" for line in after[new_start:new_end]),
        )
    ]
    return changes[0][1] + 1, tuple(lines)


def _place(tree: ast.Module, line: int) -> str:
    """The function or class of a line, with the enclosing ones. Empty outside of any."""
    return ".".join(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= line <= (node.end_lineno or line)
    )
