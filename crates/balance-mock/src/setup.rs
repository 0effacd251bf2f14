//! How a fake starts: its projects, keys, answers and script, as a value or as a JSON file.
//! Invariant: a setup alone decides how the fake behaves; nothing is read from elsewhere.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::answer::Shape;
use crate::google::{ErrorName, Google, Key, Limits, Project, Strangers};
use crate::rule::Rule;

/// Everything that a fake is started with. `Setup::default()` has the ready-made keys of
/// [`Setup::ready_made`] on a free port of 127.0.0.1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// The projects.
    pub projects: Vec<Project>,
    /// The keys.
    pub keys: Vec<Key>,
    /// What happens to unknown keys.
    pub strangers: Strangers,
    /// How answers look where no rule says otherwise.
    pub answer: Shape,
    /// Milliseconds from one event of a stream to the next where no rule says otherwise.
    pub pace_ms: Option<u64>,
    /// Give every request to a model the same answer, made once, and do not read the body: for
    /// benchmarks. Input tokens are then a quarter of the body's bytes.
    pub fixed: bool,
    /// The rules to begin with.
    pub script: Vec<Rule>,
    /// A folder of recorded cases to serve by id.
    pub cases: Option<PathBuf>,
    /// Requests that the log keeps; 0 keeps none.
    pub log: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self::ready_made(&Population::default())
    }
}

/// How many keys of which kind to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Keys that work.
    pub good: usize,
    /// Projects that the good keys are spread over; 0 gives each its own.
    pub projects: usize,
    /// Keys that were reported as leaked.
    pub dead: usize,
    /// Keys that allow two requests a minute.
    pub limited: usize,
    /// Limits of the good keys' projects, for every model.
    pub limits: Limits,
}

impl Default for Population {
    fn default() -> Self {
        Self { good: 2, projects: 0, dead: 1, limited: 1, limits: Limits::default() }
    }
}

impl Setup {
    /// No keys at all: a start for tests that make their own.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            projects: Vec::new(),
            keys: Vec::new(),
            strangers: Strangers::Refuse,
            answer: Shape::default(),
            pace_ms: None,
            fixed: false,
            script: Vec::new(),
            cases: None,
            log: 4096,
        }
    }

    /// Keys named `good-1 …`, `dead-1 …`, `limited-1 …`; their secrets are those of
    /// [`secret`](Self::secret).
    #[must_use]
    pub fn ready_made(population: &Population) -> Self {
        let projects = if population.projects == 0 { population.good } else { population.projects };
        let mut setup = (1..=projects).fold(Self::empty(), |setup, number| {
            setup.project(&format!("project-{number}"), population.limits)
        });
        for number in 1..=population.good {
            let project = format!("project-{}", (number - 1) % projects.max(1) + 1);
            setup = setup.key("good", number, &project, None);
        }
        for number in 1..=population.dead {
            setup = setup.key("dead", number, "project-dead", Some(ErrorName::Leaked));
        }
        for number in 1..=population.limited {
            let project = format!("project-limited-{number}");
            let limits = Limits { rpm: Some(2), ..Limits::default() };
            setup = setup.project(&project, limits).key("limited", number, &project, None);
        }
        setup
    }

    /// Only working keys `good-1 … good-n`, each in its own project, without limits.
    #[must_use]
    pub fn good_keys(count: usize) -> Self {
        let population = Population { good: count, dead: 0, limited: 0, ..Population::default() };
        Self::ready_made(&population)
    }

    /// The secret of a ready-made key, e.g. `("good", 1)`: 39 characters, as real ones have.
    #[must_use]
    pub fn secret(kind: &str, number: usize) -> String {
        format!("AIzaSyMock-{kind}-{number:0>width$}", width = 27 - kind.len())
    }

    /// Adds a project.
    #[must_use]
    pub fn project(mut self, name: &str, limits: Limits) -> Self {
        self.projects.push(Project { name: name.to_owned(), limits, ..Project::default() });
        self
    }

    /// Adds a key with a ready-made secret, named `kind-number`.
    #[must_use]
    pub fn key(
        mut self,
        kind: &str,
        number: usize,
        project: &str,
        state: Option<ErrorName>,
    ) -> Self {
        self.keys.push(Key {
            secret: Self::secret(kind, number),
            name: format!("{kind}-{number}"),
            project: project.to_owned(),
            state,
        });
        self
    }

    pub(crate) fn google(&self) -> Google {
        let mut google = Google::new(self.strangers);
        for project in &self.projects {
            google.put_project(project.clone());
        }
        for key in &self.keys {
            google.put_key(key.clone());
        }
        google
    }
}
