//! The names of jobs over all files of a call: reports, metrics and whatever starts the jobs go by them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::spec::job::JobName;
use crate::spec::{Place, Severity, Told};

/// The names so far, each with the file (by its number) and the place of its first job.
#[derive(Default)]
pub(super) struct Names(BTreeMap<JobName, (usize, Place)>);

/// A name that another file has too.
pub(super) struct Twice {
    /// The problem; its related place is in the first file.
    pub(super) told: Told,
    /// The number of the first file.
    pub(super) first: usize,
}

impl Names {
    /// Takes in the names of a file. Two jobs inside one file are not its affair: the file itself has that problem.
    pub(super) fn add(&mut self, file: usize, names: Vec<(JobName, Place)>) -> Vec<Twice> {
        let mut twice = Vec::new();
        for (name, place) in names {
            match self.0.entry(name) {
                Entry::Vacant(vacant) => {
                    vacant.insert((file, place));
                }
                Entry::Occupied(first) if first.get().0 != file => {
                    let (first_file, first_place) = *first.get();
                    twice.push(Twice { told: told(first.key(), place, first_place), first: first_file });
                }
                Entry::Occupied(_) => {}
            }
        }
        twice
    }
}

fn told(name: &JobName, place: Place, first: Place) -> Told {
    Told {
        severity: Severity::Error,
        title: format!("a job of another file is called `{name}` too"),
        place: Some(place),
        label: "again here".to_owned(),
        related: Some((first, "first here".to_owned())),
        help: vec!["give each job a name of its own".to_owned()],
    }
}
