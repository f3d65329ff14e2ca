"""Templates that note which of their branches are taken: what there is to show, and what was shown."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from jinja2 import BaseLoader, Environment, Template, nodes

_TAKEN = "_taken"

Branch = tuple[str, int, str]
"""A template, a line, and which way; a number, if one line has several."""


@dataclass(slots=True, eq=False)
class Branches:
    """The branches of all templates that were loaded, and those that were taken."""

    known: set[Branch] = field(default_factory=set)
    taken: set[Branch] = field(default_factory=set)

    def watch(self, templates: Environment) -> Environment:
        """The same templates, watched."""
        assert templates.loader
        watched = templates.overlay(loader=_WatchedLoader(templates.loader, self), bytecode_cache=None)
        watched.globals = {**templates.globals, _TAKEN: self._take}
        for name in watched.list_templates():
            watched.get_template(name)
        return watched

    def _take(self, template: str, line: int, way: str, value: object = "") -> object:
        self.taken.add((template, line, way))
        return value

    def mark(self, tree: nodes.Template, name: str) -> None:
        """Note each branch where it begins."""
        marks, alternatives = (
            _Marks(name),
            {id(other) for each in tree.find_all(nodes.If) for other in each.elif_},
        )
        for node in list(tree.find_all((nodes.If, nodes.For, nodes.Block, nodes.Macro, nodes.CondExpr))):
            match node:
                case nodes.If():
                    marks.begin(node, "if", node.body)
                    if id(node) not in alternatives:
                        marks.begin(node, "else", node.else_)
                case nodes.For():
                    marks.begin(node, "for", node.body)
                    if node.else_:
                        marks.begin(node, "empty", node.else_)
                case nodes.Block() | nodes.Macro() if node.body:
                    marks.begin(node, node.name, node.body)
                case nodes.CondExpr():
                    node.expr1 = marks.call(node, "if", node.expr1)
                    if node.expr2:
                        node.expr2 = marks.call(node, "else", node.expr2)
        self.known |= marks.branches


@dataclass(slots=True)
class _Marks:
    template: str
    branches: set[Branch] = field(default_factory=set)

    def begin(self, node: nodes.Node, way: str, body: list[nodes.Node]) -> None:
        body.insert(0, nodes.ExprStmt(self.call(node, way), lineno=node.lineno))

    def call(self, node: nodes.Node, way: str, *value: nodes.Expr) -> nodes.Call:
        """Notes the branch, and is *value*."""
        names = chain([way], (f"{way} {number}" for number in count(2)))
        branch = next(
            each for name in names if (each := (self.template, node.lineno, name)) not in self.branches
        )
        self.branches.add(branch)
        arguments: list[nodes.Expr] = [*map(nodes.Const, branch), *value]
        return nodes.Call(nodes.Name(_TAKEN, "load"), arguments, [], None, None, lineno=node.lineno)


@dataclass(frozen=True, slots=True)
class _WatchedLoader(BaseLoader):
    loader: BaseLoader
    branches: Branches

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002  # the name of the base class
    ) -> Template:
        source, file, _ = self.loader.get_source(environment, name)
        tree = environment.parse(source, name, file)
        self.branches.mark(tree, name)
        for node in tree.find_all(nodes.Node):
            node.environment = environment
        code = environment.compile(tree, name, file)
        return environment.template_class.from_code(environment, code, globals or {})

    def list_templates(self) -> list[str]:
        return self.loader.list_templates()
