//! One run of any setting: projects, keys, callers, nodes, models, traffic.
//!
//! Invariant: what is not said is as in the table of strategies.

use std::fs;

use anyhow::{Context, bail};
use balance_mock::Limits;
use lexopt::{Arg, Parser, ValueExt};

use crate::{
    count, positive, run,
    setting::{Entry, Law, Model, Setting},
};

pub(crate) fn play(arguments: &mut Parser) -> anyhow::Result<()> {
    let mut setting = Setting::standard(10, 0.95, 24, 1);
    let (mut models, mut strategy, mut log) = (Vec::new(), "balanced".to_owned(), None);
    let mut load = 0.95;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("projects") => setting.projects = count(arguments, 100_000)?,
            Arg::Long("keys") => setting.keys = count(arguments, 1_000)?,
            Arg::Long("callers") => setting.callers = count(arguments, 100_000)?,
            Arg::Long("nodes") => setting.nodes = count(arguments, 64)?,
            Arg::Long("dead") => setting.dead = count(arguments, 1_000_000)?,
            Arg::Long("hours") => setting.hours = positive(arguments)?.min(24 * 30),
            Arg::Long("seed") => setting.seed = positive(arguments)?,
            Arg::Long("storm") => setting.storm = arguments.value()?.parse()?,
            Arg::Long("bursts") => setting.law = Law::Bursts,
            Arg::Long("load") => load = arguments.value()?.parse()?,
            Arg::Long("untagged") => setting.tagged = false,
            Arg::Long("no-inference") => setting.infers = false,
            Arg::Long("strategy") => strategy = arguments.value()?.string()?,
            Arg::Long("model") => models.push(model(&arguments.value()?.string()?)?),
            Arg::Long("log") => log = Some(arguments.value()?.string()?),
            Arg::Long("help") => return crate::help(),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    if models.is_empty() {
        models = Setting::standard(setting.projects, load, setting.hours, 1).models;
    }
    setting.models = models;
    if let Some(path) = log {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        setting.law = Law::Log(entries(&text, &setting.models)?);
    }
    setting.dead = setting.dead.min(setting.projects * setting.keys);
    let figures = run::run(&setting, &strategy)
        .with_context(|| format!("there is no strategy {strategy:?}; see --help"))?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}

/// `NAME:RPM:TPM:RPD:REQUESTS:TOKENS`; a limit may be empty.
fn model(text: &str) -> anyhow::Result<Model> {
    let wanted = || format!("--model wants NAME:RPM:TPM:RPD:REQUESTS:TOKENS, not {text:?}");
    let parts: Vec<_> = text.split(':').collect();
    let [name, rpm, tpm, rpd, requests, tokens] = *parts.as_slice() else { bail!(wanted()) };
    let limit = |text: &str| -> anyhow::Result<Option<u64>> {
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).with_context(wanted)
    };
    Ok(Model {
        name: name.to_owned(),
        limits: Limits { rpm: limit(rpm)?, tpm: limit(tpm)?, rpd: limit(rpd)? },
        requests: requests.parse().with_context(wanted)?,
        largest_prompt: tokens.parse().with_context(wanted)?,
    })
}

/// The lines of a log: `SECONDS,MODEL,TOKENS`.
fn entries(text: &str, models: &[Model]) -> anyhow::Result<Vec<Entry>> {
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            let entry = entry(line, models);
            entry.with_context(|| {
                format!("line {}: wanted SECONDS,MODEL,TOKENS with a known model", number + 1)
            })
        })
        .collect()
}

fn entry(line: &str, models: &[Model]) -> Option<Entry> {
    let parts: Vec<_> = line.split(',').map(str::trim).collect();
    let [seconds, model, tokens] = *parts.as_slice() else { return None };
    let seconds: f64 = seconds.parse().ok().filter(|seconds| (0.0..1e8).contains(seconds))?;
    Some(Entry {
        after_millis: crate::setting::to_count(seconds * 1000.0),
        model: models.iter().position(|known| known.name == model)?,
        tokens: tokens.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_and_logs_are_read_and_mistakes_are_told() {
        let models = [model("a:5::20:100:4000").unwrap()];
        assert_eq!((models[0].limits.rpm, models[0].limits.tpm), (Some(5), None));
        assert!(model("a:5:20").is_err() && model("a:x::20:100:4000").is_err());
        let log = "# seconds, model, tokens\n0.5,a,100\n\n1,a,7\n";
        let read = entries(log, &models).unwrap();
        assert_eq!(read[0], Entry { after_millis: 500, model: 0, tokens: 100 });
        let mistake = entries("1,b,7", &models).unwrap_err().to_string();
        assert!(mistake.contains("line 1"), "{mistake}");
        assert!(entries("-1,a,7", &models).is_err() && entries("1,a", &models).is_err());
    }

    #[test]
    fn a_log_is_played_request_by_request() {
        let models = vec![model("a:2:::0:10").unwrap()];
        let law = Law::Log(entries("0,a,1\n1,a,1\n2,a,1\n", &models).unwrap());
        let standard = Setting::standard(1, 0.5, 1, 1);
        let figures = run::run(&Setting { models, law, ..standard }, "balanced").unwrap();
        assert_eq!((figures.offered, figures.served), (3, 3), "{figures:?}");
    }
}
