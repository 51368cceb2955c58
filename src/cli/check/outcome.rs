//! What came of one file, in small texts: the jobs themselves are dropped before the next file is read.

use super::form::Form;
use super::policy::Policy;
use crate::spec::collect::Source;
use crate::spec::job::JobName;
use crate::spec::{self, Place, Problems, Severity, Told};

/// What came of one file or of a path that led to none.
#[derive(Default)]
pub(super) struct Outcome {
    /// Whether there was a file to check.
    is_file: bool,
    /// The right jobs of the file with the number of their steps; used only if the file has no error.
    pub(super) jobs: Vec<(JobName, usize)>,
    /// How many connections it has, if it is a file of connections.
    pub(super) connections: Option<usize>,
    /// The name of each job and where it stands.
    pub(super) names: Vec<(JobName, Place)>,
    /// Problems that keep a job from running.
    pub(super) errors: usize,
    /// Other problems.
    pub(super) warnings: usize,
    /// The problems in the form of the call.
    pub(super) problems: Vec<String>,
}

impl Outcome {
    /// Reads and checks.
    pub(super) fn of(source: &Source, form: Form, policy: &Policy) -> Outcome {
        let checked = match source {
            Source::File(path) => spec::check_file(path),
            Source::Outside(path) => spec::check_file_outside(path),
            Source::Input => spec::check_reader(source.path(), std::io::stdin().lock()),
            Source::Refused { path, title, help } => {
                let told = Told {
                    severity: Severity::Error,
                    title: title.clone(),
                    place: None,
                    label: String::new(),
                    related: None,
                    help: help.iter().map(|help| (*help).to_owned()).collect(),
                };
                let problems = vec![form.problem(path, &told, path)];
                return Outcome { errors: 1, problems, ..Outcome::default() };
            }
        };
        let count = |problems: &Problems, severity: Severity| {
            problems.iter().filter(|problem| problem.severity() == severity).count()
        };
        let place_of =
            |job: &JobName| checked.names.iter().find(|(name, _)| name == job).map(|(_, place)| *place);
        let refused: Vec<Told> =
            checked.jobs.iter().flat_map(|job| policy.told(job, place_of(&job.name))).collect();
        let path = source.path();
        let mut problems = form.problems(&checked.problems);
        problems.extend(refused.iter().map(|told| form.problem(path, told, path)));
        Outcome {
            is_file: true,
            jobs: checked.jobs.into_iter().map(|job| (job.name, job.steps.len())).collect(),
            connections: checked.connections.map(|connections| connections.len()),
            names: checked.names,
            errors: count(&checked.problems, Severity::Error) + refused.len(),
            warnings: count(&checked.problems, Severity::Warning),
            problems,
        }
    }

    /// The jobs of a file that is right as a whole.
    pub(super) fn right_jobs(&self) -> &[(JobName, usize)] {
        if self.errors == 0 { &self.jobs } else { &[] }
    }

    /// The number of connections of a file of connections that is right as a whole.
    pub(super) fn right_connections(&self) -> Option<usize> {
        self.connections.filter(|_| self.errors == 0)
    }
}

/// The counts over all files.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Files that were checked.
    pub(super) files: usize,
    /// Jobs of right files.
    pub(super) jobs: usize,
    /// Errors, also of paths that led to no file.
    pub(super) errors: usize,
    /// Warnings.
    pub(super) warnings: usize,
}

impl Summary {
    /// Takes in what came of one more file.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.files += usize::from(outcome.is_file);
        self.jobs += outcome.right_jobs().len();
        self.errors += outcome.errors;
        self.warnings += outcome.warnings;
    }
}
