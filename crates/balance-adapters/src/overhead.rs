//! What a gateway adds to a small request, beside plain pass-throughs on the same platform.
//!
//! Invariant: all are asked in turns, one request at a time on one connection, before the same upstream. Turns
//! that stand side by side are compared, as a machine that dozes off between requests, or is busy with other
//! things, makes both slower by the same factor; and the middle of these ratios counts.

use std::{net::SocketAddr, time::Duration};

use balance_bench::{client::Connection, statistics::percentile};

use crate::runtime::Settings;

/// Not counted: until then functions of the gateway are still being compiled, JavaScript's as WebAssembly's.
const WARMING: usize = 16;
/// Many short ones, as a machine may change its speed within seconds.
const ROUNDS: usize = 45;
const REQUESTS_IN_ROUND: usize = 100;

/// The medians of the rounds, in the order of the addresses.
pub(crate) async fn in_turns<const N: usize>(
    addresses: [SocketAddr; N],
    key: &str,
) -> Result<[Vec<Duration>; N], String> {
    let mut medians = [(); N].map(|()| Vec::new());
    for number in 0..WARMING + ROUNDS {
        for (address, medians) in addresses.into_iter().zip(&mut medians) {
            let median = round(address, &request(address, key)).await?;
            if number >= WARMING {
                medians.push(median);
            }
        }
    }
    Ok(medians)
}

/// On a connection of its own, as servers close those that are quiet while others have their turn.
async fn round(address: SocketAddr, request: &str) -> Result<Duration, String> {
    let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
    let mut times = Vec::new();
    for _ in 0..REQUESTS_IN_ROUND {
        let answer = connection.exchange(request.as_bytes(), |_| {}).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("an answer has the status {}", answer.status));
        }
        times.push(answer.whole);
    }
    Ok(percentile(&mut times, 0.5))
}

/// Tells how times compare that were taken in turns, and whether that will do.
pub(crate) fn compare(
    what: &str,
    ours: &[Duration],
    plain: &[Duration],
    most: f64,
) -> Result<(), String> {
    let ratio = |(ours, plain): (&Duration, &Duration)| ours.as_secs_f64() / plain.as_secs_f64();
    let ratio = middle(ours.iter().zip(plain).map(ratio).collect());
    let [ours, plain] = [ours, plain]
        .map(|times| middle(times.iter().map(Duration::as_secs_f64).collect()) * 1_000_000.0);
    println!("{what}: {ours:.0} µs, plain {plain:.0} µs: {ratio:.2} times, of {most} allowed");
    if ratio <= most { Ok(()) } else { Err(format!("{what} takes {ratio:.2} times as long")) }
}

fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// For the gateway, and for the pass-throughs.
pub(crate) fn settings(upstream: &str, key: &str) -> Settings {
    let settings = [
        ("API_KEYS", key),
        ("ACCESS_TOKENS", key), // so that upstream can be asked by the same request
        ("BASE_URL", upstream),
        ("LOG_LEVEL", "warn"), // the pass-throughs write no line for each request either
        ("UPSTREAM", upstream),
        ("KEY", key),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn request(address: SocketAddr, key: &str) -> String {
    let text =
        "Which three rivers of Europe carry the most water, and into which seas do they flow?";
    let body = format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"{text}"}}]}}]}}"#);
    let length = body.len();
    format!(
        "POST /v1beta/models/gemini-2.5-flash:generateContent HTTP/1.1\r\nhost: {address}\r\n\
         x-goog-api-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n\
         {body}"
    )
}
