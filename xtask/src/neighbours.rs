//! Puts the functions of a WebAssembly module in an order in which like stands by like: a compressor
//! sees 32 KB back and no further.
//!
//! Invariant: what is told is names alone, by which `wasm-opt --reorder-functions-by-name` then sorts;
//! what the module does is no matter of this.

#![expect(clippy::indexing_slicing, reason = "functions go by their places in one list")]

use std::collections::{HashMap, HashSet, VecDeque};

use wasm_encoder::{NameMap, NameSection, Section};
use wasmparser::{Parser, Payload, TypeRef};

use crate::tally::Failure;

/// How many bytes of code in a row make two functions alike.
const RUN: usize = 6;

/// A run that more functions have than this is everywhere, and tells nothing of any.
const COMMON: usize = 20;

/// How many bytes of code before a function are in the compressor's sight, some left for its own.
const SIGHT: usize = 30_000;

/// Bytes of a function that compress well whatever stands before it.
const FRAME: usize = 12;

/// The module with names for its functions that sort as they had better stand.
///
/// # Errors
/// The bytes are no module.
pub(crate) fn named_by_likeness(module: &[u8]) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::new(format!("a module cannot be read: {error}"));
    let (mut imports, mut functions) = (0, Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(failed)?;
        if let Payload::ImportSection(section) = payload {
            for import in section.into_imports() {
                let is_function = matches!(import.map_err(failed)?.ty, TypeRef::Func(_));
                imports += u32::from(is_function);
            }
        } else if let Payload::CodeSectionEntry(body) = payload {
            functions.push(body.as_bytes());
        }
    }
    let mut names = NameMap::new();
    let mut ranked: Vec<_> = in_order(&functions).into_iter().enumerate().collect();
    ranked.sort_unstable_by_key(|(_, function)| *function);
    for ((rank, _), index) in ranked.into_iter().zip(imports..) {
        names.append(index, &format!("{rank:06}"));
    }
    let mut section = NameSection::new();
    section.functions(&names);
    let mut named = module.to_vec();
    section.append_to(&mut named);
    Ok(named)
}

/// The functions' places in the best order: the largest one first, then always the one that has most
/// in common with those in sight, for its size.
fn in_order(functions: &[&[u8]]) -> Vec<usize> {
    let mut sight = Sight::over(functions);
    let mut left: Vec<usize> = (0..functions.len()).collect();
    let mut order = Vec::with_capacity(functions.len());
    // Where nothing is alike yet, the largest.
    let gain = |sight: &Sight, function: usize| {
        let size = functions[function].len();
        (sight.likeness[function] as f64 / (size + FRAME) as f64, size)
    };
    while let Some(next) = (0..left.len()).max_by(|a, b| {
        let (a, b) = (gain(&sight, left[*a]), gain(&sight, left[*b]));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    }) {
        let function = left.swap_remove(next);
        order.push(function);
        sight.show(function);
    }
    order
}

/// What a compressor sees, and how much of it each function has too.
struct Sight {
    /// The runs of each function that tell something.
    runs: Vec<Vec<Run>>,
    sizes: Vec<usize>,
    /// The functions that have a run.
    havers: HashMap<Run, Vec<usize>>,
    /// How many runs each function has in common with those in sight.
    likeness: Vec<usize>,
    /// The functions in sight, and their bytes together.
    shown: VecDeque<usize>,
    bytes: usize,
    /// How many functions in sight have a run.
    seen: HashMap<Run, usize>,
}

impl Sight {
    fn over(functions: &[&[u8]]) -> Self {
        let all: Vec<HashSet<Run>> = functions.iter().map(|code| runs(code)).collect();
        let mut havers: HashMap<Run, Vec<usize>> = HashMap::new();
        for (function, runs) in all.iter().enumerate() {
            runs.iter().for_each(|run| havers.entry(*run).or_default().push(function));
        }
        havers.retain(|_, havers| (2..=COMMON).contains(&havers.len()));
        let telling = |runs: HashSet<Run>| -> Vec<Run> {
            runs.into_iter().filter(|run| havers.contains_key(run)).collect()
        };
        Self {
            runs: all.into_iter().map(telling).collect(),
            sizes: functions.iter().map(|code| code.len()).collect(),
            likeness: vec![0; functions.len()],
            havers,
            shown: VecDeque::new(),
            bytes: 0,
            seen: HashMap::new(),
        }
    }

    fn show(&mut self, function: usize) {
        self.shown.push_back(function);
        self.bytes += self.sizes[function];
        for run in &self.runs[function] {
            let times = self.seen.entry(*run).or_default();
            *times += 1;
            if *times == 1 {
                self.havers[run].iter().for_each(|haver| self.likeness[*haver] += 1);
            }
        }
        while self.bytes > SIGHT && self.shown.len() > 1 {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some(function) = self.shown.pop_front() else { return };
        self.bytes -= self.sizes[function];
        for run in &self.runs[function] {
            let times = self.seen.entry(*run).or_default();
            *times -= 1;
            if *times == 0 {
                self.havers[run].iter().for_each(|haver| self.likeness[*haver] -= 1);
            }
        }
    }
}

type Run = [u8; RUN];

fn runs(code: &[u8]) -> HashSet<Run> {
    code.windows(RUN).filter_map(|run| run.try_into().ok()).collect()
}
