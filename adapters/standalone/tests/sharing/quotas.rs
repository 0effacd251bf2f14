//! Quotas that three servers share through Redis.

use std::time::{Duration, Instant};

use balance_mock::{Limits, Setup};
use balance_testkit::{redis_server::RedisServer, shared::tell};
use futures_util::{StreamExt, future::join, stream};
use tokio::time::sleep;

use crate::fleet::{Fleet, question};

const PROJECTS: usize = 4;
/// What each project is allowed in a minute.
const LIMIT: usize = 60;
/// How far beyond that three servers may go together: what each may take of a quota before it has
/// exchanged slices of it.
const BEYOND: usize = LIMIT / 8;

async fn fleet(redis: &RedisServer, rpm: usize, settings: &[(&str, &str)]) -> Fleet {
    let limits = Limits { rpm: Some(rpm as u64), ..Limits::default() };
    let (url, rpm) = (redis.url(), rpm.to_string());
    let own = [("REDIS_URL", url.as_str()), ("DEFAULT_RPM", rpm.as_str())];
    let settings: Vec<_> = own.iter().chain(settings).copied().collect();
    Fleet::start(PROJECTS, limits, &settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_admit_what_the_quotas_allow_and_no_more_than_the_bound() {
    let Some(redis) = RedisServer::start() else { return };
    let fleet = fleet(&redis, LIMIT, &[("QUEUE_SECONDS", "15"), ("ATTEMPTS", "1")]).await;
    let start = Instant::now();
    let offered = PROJECTS * LIMIT * 3 / 2;
    let asked = stream::iter(0..offered).map(|number| {
        let fleet = &fleet;
        async move {
            // Spread over some seconds, and over the servers as chance has it.
            sleep(Duration::from_millis(25 * number as u64)).await;
            fleet.generate(number * 7 / 3, &question(&format!("Question {number}"))).await.status
        }
    });
    let statuses: Vec<u16> = asked.buffer_unordered(offered).collect().await;
    assert!(start.elapsed() < Duration::from_secs(55), "it must be over within one minute");
    let served = statuses.iter().filter(|status| **status == 200).count();
    let questions = fleet.questions();
    let refused = questions.iter().filter(|entry| entry.status == Some(429)).count();
    tell(&format!(
        "three servers over Redis: {served} of {offered} served, {} allowed in the minute; {refused} \
         sent beyond it, the bound is {}",
        PROJECTS * LIMIT,
        PROJECTS * BEYOND
    ));
    assert!(questions.len() <= PROJECTS * (LIMIT + BEYOND), "{} sent", questions.len());
    assert!(served <= PROJECTS * LIMIT);
    assert!(served >= PROJECTS * LIMIT * 95 / 100, "{served} served");
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_redis_is_away_and_comes_back() {
    let Some(mut redis) = RedisServer::start() else { return };
    let fleet = fleet(&redis, 1000, &[]).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(fleet.store_of(1).await, "shared by 3");
    let load = stream::iter(0..600_usize).map(|number| {
        let fleet = &fleet;
        async move {
            sleep(Duration::from_millis(30 * number as u64)).await;
            fleet.generate(number, &question(&format!("Question {number}"))).await.status
        }
    });
    let load = load.buffer_unordered(600).collect::<Vec<u16>>();
    let trouble = async {
        sleep(Duration::from_secs(4)).await;
        redis.kill();
        sleep(Duration::from_secs(6)).await;
        let meanwhile = fleet.store_of(2).await;
        redis.run();
        meanwhile
    };
    let (statuses, meanwhile) = join(load, trouble).await;
    let lost = statuses.iter().filter(|status| **status != 200).count();
    tell(&format!("Redis killed and started again under load: {lost} of 600 requests lost"));
    assert_eq!(lost, 0, "{statuses:?}");
    assert_eq!(meanwhile, "away; meanwhile it uses what it holds of each quota");
    for place in 0..3 {
        for _ in 0..50 {
            if fleet.store_of(place).await == "shared by 3" {
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(fleet.store_of(place).await, "shared by 3", "server {place}");
    }
    for server in fleet.servers {
        let written = server.stop();
        assert!(written.contains("this server shares nothing with others for now"), "{written}");
        assert_eq!(written.matches("quotas are shared through the store").count(), 2);
        assert!(!written.contains(&Setup::secret("good", 1)), "no key is told");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_start_without_their_redis_and_find_it_later() {
    let Some(mut redis) = RedisServer::start() else { return };
    redis.kill();
    let fleet = fleet(&redis, 60, &[("INSTANCES", "3")]).await;
    assert_eq!(fleet.store_of(0).await, "away; meanwhile it uses 1/3 of each quota");
    assert_eq!(fleet.generate(0, &question("Hi")).await.status, 200);
    redis.run();
    let mut told = String::new();
    for _ in 0..50 {
        told = fleet.store_of(0).await;
        if told == "shared by 3" {
            break;
        }
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(told, "shared by 3");
}
