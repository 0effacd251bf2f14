//! What Google says to a request.
//!
//! Invariant: Google is balance-mock's, which counts truly and shares no code with the pool; its
//! errors are read by the gateway's own classifier.

use std::collections::HashMap;

use balance_core::{classify::classify, fault::Fault, key::Key, secret::Secret, time::Timestamp};
use balance_mock::{
    Project, Strangers,
    google::{self, ErrorName, Level, Place},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::Request;
use crate::setting::{Setting, at_google};

/// Google, with the projects and keys of a setting.
pub(super) struct Upstream {
    google: google::Google,
    /// The project of each key, by its text.
    projects: HashMap<String, usize>,
    /// The names of the models.
    models: Vec<String>,
    /// Faults that were read, as the same errors come again and again.
    faults: HashMap<(u16, Vec<u8>), Fault>,
    /// Whether it matters what an error says.
    reads_errors: bool,
}

impl Upstream {
    pub(super) fn new(setting: &Setting, keys: &[Key], reads_errors: bool) -> Self {
        let mut google = google::Google::new(Strangers::Refuse);
        let models = setting.models.iter().map(|model| (model.name.clone(), model.limits));
        let models: HashMap<_, _> = models.collect();
        for number in 0..setting.projects {
            let (name, models) = (name_of(number), models.clone());
            google.put_project(Project { name, models, ..Project::default() });
        }
        let mut projects = HashMap::new();
        for (number, key) in keys.iter().enumerate() {
            let (secret, place) = (key.secret.expose().to_owned(), setting.project_of(number));
            projects.insert(secret.clone(), place);
            if !setting.is_dead(number) {
                let project = name_of(place);
                google.put_key(google::Key { secret, project, ..google::Key::default() });
            }
        }
        let models = setting.models.iter().map(|model| model.name.clone()).collect();
        Self { google, projects, models, faults: HashMap::new(), reads_errors }
    }

    /// Counts a request, or says why not.
    pub(super) fn judge(
        &mut self,
        setting: &Setting,
        request: &Request,
        key: &str,
        now: Timestamp,
    ) -> Result<(), Box<Fault>> {
        let Some(model) = setting.models.get(request.model) else { return Ok(()) };
        let project = self.projects.get(key).copied().unwrap_or_default();
        // What fails for want of room is counted all the same.
        let counted = self.google.call(key, &model.name, request.tokens, at_google(now));
        let error = match counted {
            Ok(_) if setting.storms(project, request.model, now) => {
                ErrorName::Overloaded.at(&Place::default())
            }
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let said = if self.reads_errors { error.to_body() } else { Vec::new() };
        Err(Box::new(self.read(error.status, said)))
    }

    /// What was counted of a model, for each project that was asked.
    pub(super) fn levels(&mut self, model: usize, now: Timestamp) -> HashMap<usize, Level> {
        let levels = self.google.levels(at_google(now)).into_iter();
        let name = self.models.get(model);
        levels
            .filter(|at| Some(&at.model) == name)
            .filter_map(|at| Some((number_of(&at.project)?, at.level)))
            .collect()
    }

    /// Reads an error as the gateway does.
    fn read(&mut self, status: u16, body: Vec<u8>) -> Fault {
        let place = (status, body);
        if let Some(fault) = self.faults.get(&place) {
            return fault.clone();
        }
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        let secret = Secret::new("AIzaSy-simulated");
        let fault = classify(code, &HeaderMap::new(), &Bytes::from(place.1.clone()), &secret);
        if self.faults.len() < 10_000 {
            self.faults.insert(place, fault.clone());
        }
        fault
    }
}

fn name_of(project: usize) -> String {
    format!("project-{project}")
}

fn number_of(project: &str) -> Option<usize> {
    project.strip_prefix("project-")?.parse().ok()
}
