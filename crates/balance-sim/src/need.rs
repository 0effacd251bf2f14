//! How many projects, and so at the least how many keys, a load needs.
//!
//! Invariant: the answer was played, not only computed.

use anyhow::{Context, bail};
use balance_mock::Limits;
use lexopt::{Arg, Parser};

use crate::{
    positive, report,
    setting::{Model, Setting},
};

/// What a load needs.
struct Need {
    rpm: u64,
    rpd: u64,
    limits: Limits,
    largest_prompt: u64,
}

pub(crate) fn need(arguments: &mut Parser) -> anyhow::Result<()> {
    let limits = Limits { rpm: Some(5), tpm: Some(250_000), rpd: Some(20) };
    let mut need = Need { rpm: 0, rpd: 0, limits, largest_prompt: 4_000 };
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("rpm") => need.rpm = positive(arguments)?,
            Arg::Long("rpd") => need.rpd = positive(arguments)?,
            Arg::Long("limit-rpm") => need.limits.rpm = Some(positive(arguments)?),
            Arg::Long("limit-rpd") => need.limits.rpd = Some(positive(arguments)?),
            Arg::Long("limit-tpm") => need.limits.tpm = Some(positive(arguments)?),
            Arg::Long("tokens") => need.largest_prompt = positive(arguments)?,
            Arg::Long("help") => {
                return crate::help();
            }
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    if need.rpm == 0 || need.rpd == 0 {
        bail!("say how much is asked: --rpm and --rpd");
    }
    need.answer()
}

impl Need {
    fn answer(&self) -> anyhow::Result<()> {
        let by_minute = self.rpm.div_ceil(self.limits.rpm.unwrap_or(u64::MAX));
        let by_day = self.rpd.div_ceil(self.limits.rpd.unwrap_or(u64::MAX));
        let tokens_per_minute = self.rpm * self.largest_prompt / 2;
        let by_token = tokens_per_minute.div_ceil(self.limits.tpm.unwrap_or(u64::MAX));
        let least = usize::try_from(by_minute.max(by_day).max(by_token))?;
        if least > 100_000 {
            bail!("that is {least} projects at the least: more than can be played here");
        }
        println!(
            "At the least, by arithmetic: {by_minute} projects for the minute, {by_day} for the \
             day, {by_token} for the tokens."
        );
        let found = report::projects_needed(|projects| self.setting(projects), least);
        let (projects, figures) = found.context("no number of projects near that is enough")?;
        println!(
            "Played for as long as the day's requests take: {projects} projects, a key of each. \
             {} of {} requests were served, {:.2} % of the calls were refused while the limits were \
             learned.",
            figures.served,
            figures.offered,
            figures.waste_all * 100.0
        );
        println!("More keys of the same projects would not help: Google counts by project.");
        Ok(())
    }

    fn setting(&self, projects: usize) -> Setting {
        let hours = self.rpd.div_ceil(self.rpm).div_ceil(60).clamp(1, 24);
        let model = Model {
            name: "model".into(),
            limits: self.limits,
            requests: self.rpd.min(self.rpm * 60 * hours),
            largest_prompt: self.largest_prompt,
        };
        Setting {
            projects,
            keys: 1,
            models: vec![model],
            ..Setting::standard(projects, 1.0, hours, 1)
        }
    }
}
