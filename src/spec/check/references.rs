//! References in expressions: `steps.X.items`, `item.P`, `inputs.X`, `run.id`, `target.tenant`.

use std::ops::Range;

use super::expressions::{Names, Place};
use super::secret_calls::SECRET;
use super::{Checker, did_you_mean};
use crate::catalog::nearest;
use crate::spec::escape::quote;
use crate::spec::job::InputKind;
use crate::spec::keep::Flow;
use crate::spec::problem::Problem;
use crate::spec::words::{Kind, Path, Word};

const ROOTS: [&str; 6] = ["steps", "item", "item_index", "inputs", "run", "target"];

impl Checker<'_> {
    /// Looks a reference up, and notes what it needs of a step's items.
    pub(super) fn path(
        &mut self,
        words: &[Word<'_>],
        path: &Path<'_>,
        at: &dyn Fn(&Range<usize>) -> Range<usize>,
        names: &mut Names<'_>,
    ) {
        let place = at(&path.span);
        if path.called {
            // Who writes `secret` in a wrong place may have written the secret itself.
            if let (SECRET, Some(Word { kind: Kind::Text(_), span })) =
                (path.root, words.get(path.words.end + 1))
            {
                self.secrets.push(at(span));
            }
            let (title, help) = match path.names.last() {
                Some(method) => (
                    format!("expressions have no methods, found {}", quote(&format!(".{method}(…)"))),
                    "use a filter: `item.Name | lower`".to_owned(),
                ),
                None if path.root == SECRET => (
                    "`secret(…)` stands only where a parameter takes a secret: a password, or the password of a user name".to_owned(),
                    "anywhere else it could be read: in logs, in the object, in a report".to_owned(),
                ),
                None => (
                    format!("expressions have no functions, found {}", quote(&format!("{}(…)", path.root))),
                    "use filters: `steps.NAME.items | length`".to_owned(),
                ),
            };
            return self.report(Problem::error(place, title).help(help));
        }
        match (path.root, &path.names[..]) {
            ("steps", [step, rest @ ..]) => self.step_path(words, path, step, rest, place, names),
            ("steps", []) => {
                let problem = Problem::error(place, "`steps` needs the name of a step");
                self.report(
                    problem.help("write `steps.NAME.items`, `steps.NAME.count` or `steps.NAME.first`"),
                );
            }
            ("inputs", rest) => self.input_path(rest, place, names),
            ("item", rest) if names.place == Place::Loop => {
                if let Some(source) = names.item_of {
                    names.needs[source].item(rest);
                }
            }
            ("item_index", []) if names.place == Place::Loop => {}
            ("item" | "item_index", _) => {
                let problem = Problem::error(place, format!("there is no `{}` here", path.root));
                self.report(problem.help(match names.place {
                    Place::ForEach => "`for_each` gives the items; it cannot use them",
                    Place::OutputPath => {
                        "the path of a file is known before the step runs: use inputs, run and target"
                    }
                    Place::Step | Place::Loop => "`item` is there in a step with `for_each`",
                }));
            }
            ("run", ["id"]) | ("target", ["tenant" | "environment"]) => {}
            ("run", _) => {
                self.report(Problem::error(place, "`run` has only `run.id`").help("write `run.id`"))
            }
            ("target", _) => {
                let problem =
                    Problem::error(place, "`target` has only `target.tenant` and `target.environment`");
                self.report(problem.help("write one of the two"));
            }
            (root, _) => self.unknown_root(root, place, names),
        }
    }

    fn unknown_root(&mut self, root: &str, place: Range<usize>, names: &Names<'_>) {
        let problem = Problem::error(place, format!("nothing is called {}", quote(root)));
        let help = if names.steps[..names.current].contains(&root) {
            format!("write `steps.{root}.items`")
        } else if names.inputs.iter().any(|input| input.name == root) {
            format!("write `inputs.{root}`")
        } else {
            did_you_mean(&nearest(root, ROOTS.into_iter()))
                .unwrap_or_else(|| format!("there is: {}; text needs quotes: `'{root}'`", ROOTS.join(", ")))
        };
        self.report(problem.help(help));
    }

    fn step_path(
        &mut self,
        words: &[Word<'_>],
        path: &Path<'_>,
        step: &str,
        rest: &[&str],
        place: Range<usize>,
        names: &mut Names<'_>,
    ) {
        if names.place == Place::OutputPath {
            let problem = Problem::error(place, "the path of a file cannot use a step's items");
            return self.report(problem.help("it may use inputs, run and target"));
        }
        let Some(index) = names.steps.iter().position(|name| *name == step) else {
            let problem = Problem::error(place, format!("no step is called {}", quote(step)));
            let before = names.steps[..names.current].iter().copied().filter(|name| !name.is_empty());
            let help = did_you_mean(&nearest(step, before.clone())).unwrap_or_else(|| {
                let before: Vec<&str> = before.collect();
                if before.is_empty() {
                    "this is the first step: there is nothing before it to refer to".to_owned()
                } else {
                    format!("the steps before this one are: {}", before.join(", "))
                }
            });
            return self.report(problem.help(help));
        };
        if index >= names.current {
            let title = if index == names.current {
                format!("the step {} refers to itself", quote(step))
            } else {
                format!("the step {} runs later than this one", quote(step))
            };
            let help = "steps run in the order of the file: refer to one before this one";
            return self.report(Problem::error(place, title).help(help));
        }
        let need = &mut names.needs[index];
        match rest {
            ["count"] => {}
            ["first", names @ ..] => need.item(names),
            ["items"] if path.indexed => need.everything(),
            ["items"] => {
                let (flow, end) = need.filters(words, path);
                let whole = path.words.start == 0 && end == words.len();
                if names.place == Place::ForEach && whole && flow == Flow::Items {
                    names.item_of = Some(index);
                } else if flow != Flow::Done {
                    names.needs[index].everything();
                }
            }
            ["items", property, ..] => {
                let title = format!("a list has no property {}", quote(property));
                let help = format!(
                    "write `steps.{step}.items | map(attribute='{property}')`, or `steps.{step}.first.{property}`"
                );
                self.report(Problem::error(place, title).help(help));
            }
            [] => {
                let problem = Problem::error(
                    place,
                    format!("{} is a step, not its items", quote(&format!("steps.{step}"))),
                );
                self.report(problem.help(format!("write `steps.{step}.items`, `.count` or `.first`")));
            }
            [other, ..] => {
                let title = format!("a step has no {}", quote(other));
                let problem = Problem::error(place, title);
                self.report(problem.help(format!("write `steps.{step}.items`, `.count` or `.first`")));
            }
        }
    }

    fn input_path(&mut self, rest: &[&str], place: Range<usize>, names: &Names<'_>) {
        let known = || names.inputs.iter().map(|input| input.name.as_str());
        let Some(name) = rest.first() else {
            let problem = Problem::error(place, "`inputs` needs the name of an input");
            return self.report(problem.help("write `inputs.NAME`"));
        };
        let Some(input) = names.inputs.iter().find(|input| input.name == *name) else {
            let problem = Problem::error(place, format!("no input is called {}", quote(name)));
            let help = did_you_mean(&nearest(name, known())).unwrap_or_else(|| {
                let known: Vec<&str> = known().collect();
                if known.is_empty() {
                    "the job declares no `inputs`: add them, with a `type` and perhaps a `default`".to_owned()
                } else {
                    format!("the inputs are: {}", known.join(", "))
                }
            });
            return self.report(problem.help(help));
        };
        if rest.len() > 1 {
            let title = format!("the input {} has no properties", quote(name));
            return self.report(Problem::error(place, title).help(format!("write `inputs.{name}`")));
        }
        if names.place == Place::ForEach && input.kind != InputKind::List {
            let title = format!("`for_each` goes over a list; the input {} is none", quote(name));
            self.report(
                Problem::error(place, title)
                    .help(format!("declare it with `type: list`, or use `inputs.{name} | split(',')`")),
            );
        }
    }
}
