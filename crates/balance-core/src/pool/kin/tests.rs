use super::{
    super::{
        Ask, Pool, PoolLimits, Sharing, Strategy,
        tests::{START, ask, fault, keys},
    },
    *,
};
use crate::fault::{Blame, Fault, Limits, ProjectFault, Quota};
use balance_dialect::summary::Usage;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn pool(count: usize) -> Pool {
    let limits = PoolLimits { infer_projects: true, ..PoolLimits::default() };
    Pool::new(keys(count), Strategy::Balanced).with_limits(limits)
}

/// A refusal because five requests were sent in a minute.
fn refused() -> Fault {
    let limits = Limits { requests_per_minute: Some(5), ..Limits::default() };
    fault(Blame::Quota(Quota::Minute { retry_after: Some(30 * SECOND), limits }))
}

fn numbered(number: u64) -> Fault {
    let blame = Blame::Project(ProjectFault::Forbidden);
    Fault { project_number: Some(number), ..fault(blame) }
}

fn is_same_project(pool: &Pool, one: usize, other: usize) -> bool {
    let all = keys(one.max(other) + 1);
    let [one, other] = [one, other].map(|n| pool.roster.slot_of(all[n].id).unwrap());
    pool.roster.project_of(one) == pool.roster.project_of(other)
}

/// Lets requests come for some minutes to keys of which each project has so many, with five requests
/// a minute each; how many were refused.
fn play(pool: &mut Pool, count: usize, of_project: usize, minutes: u64, from: Timestamp) -> usize {
    let all = keys(count);
    let mut sent: Vec<Vec<Timestamp>> = vec![Vec::new(); count.div_ceil(of_project)];
    let mut refusals = 0;
    // Four fifths of what the projects have together.
    let rate = sent.len() as u64 * 4;
    for n in 0..minutes * rate {
        let now = from + Duration::from_millis(n * 60_000 / rate);
        let Ok(lease) = pool.select(&ask("m"), now, super::super::slots::reroll(n)) else {
            continue;
        };
        let key = all.iter().position(|key| key.id == lease.key).unwrap();
        let window = &mut sent[key / of_project];
        window.retain(|at| *at + MINUTE > now);
        if window.len() < 5 {
            window.push(now);
            pool.settle(lease, Ok(Usage::default()), now + SECOND);
        } else {
            refusals += 1;
            let until = window[0] + MINUTE;
            let limits = Limits { requests_per_minute: Some(5), ..Limits::default() };
            let retry_after = Some(until.since(now));
            let blame = Blame::Quota(Quota::Minute { retry_after, limits });
            pool.settle(lease, Err(&fault(blame)), now);
        }
    }
    refusals
}

#[test]
fn keys_with_one_number_are_one_project_and_another_number_parts_them() {
    let mut pool = pool(3);
    let all = keys(3);
    let tell = |pool: &mut Pool, key: usize, number| {
        let prefer = Some(all[key].id);
        let lease = pool.select(&Ask { prefer, ..ask("m") }, START, 0).unwrap();
        let told = lease.key == all[key].id;
        pool.settle(lease, Err(&numbered(number)), START);
        pool.in_flight(START + SECOND);
        told
    };
    assert!(tell(&mut pool, 0, 42) && tell(&mut pool, 1, 42) && tell(&mut pool, 2, 7));
    assert!(is_same_project(&pool, 0, 1) && !is_same_project(&pool, 0, 2));
    let explained = pool.explain(&ask("m"), 3, START);
    let grouped = explained.candidates.iter().filter(|one| one.shares_with.is_some()).count();
    assert_eq!(grouped, 2);
    pool.kin.note_number(all[1].id, 7, START);
    pool.in_flight(START + 2 * SECOND);
    assert!(!is_same_project(&pool, 0, 1) && is_same_project(&pool, 1, 2));
}

#[test]
fn keys_that_are_refused_together_are_found_out_and_save_refusals() {
    let mut pool = pool(30);
    let first = play(&mut pool, 30, 3, 240, START);
    let found = (0..30).filter(|n| is_same_project(&pool, *n, n / 3 * 3)).count();
    assert_eq!(found, 30, "all are in their groups");
    let strangers = (3..30).filter(|n| is_same_project(&pool, *n, 0)).count();
    assert_eq!(strangers, 0, "and nobody else is");
    let later = play(&mut pool, 30, 3, 240, START + 250 * MINUTE);
    assert!(later * 10 < first, "{first}, then {later}");
}

#[test]
fn they_are_found_out_by_the_moments_they_are_told_where_other_instances_use_them_too() {
    let limits = PoolLimits { infer_projects: true, ..PoolLimits::default() };
    let limits = PoolLimits { sharing: Sharing::Evenly { instances: 1 }, ..limits };
    let mut pool = Pool::new(keys(60), Strategy::Balanced).with_limits(limits);
    play(&mut pool, 60, 3, 240, START);
    let found = (0..60).filter(|n| is_same_project(&pool, *n, n / 3 * 3)).count();
    let strangers = (3..60).filter(|n| is_same_project(&pool, *n, 0)).count();
    assert_eq!((found, strangers), (60, 0));
}

#[test]
fn keys_of_different_projects_are_not_grouped_however_often_they_are_refused() {
    let mut pool = pool(30);
    // All other traffic of these projects comes from elsewhere: they are refused by chance.
    let mut roll = 1;
    for n in 0..20_000_u64 {
        let now = START + Duration::from_millis(n * 500);
        let Ok(lease) = pool.select(&ask("m"), now, roll) else { continue };
        roll = super::super::slots::reroll(roll);
        let outcome = refused();
        let outcome = if roll % 10 == 0 { Err(&outcome) } else { Ok(Usage::default()) };
        pool.settle(lease, outcome, now);
    }
    let grouped = (1..30).filter(|n| is_same_project(&pool, *n, n - 1)).count();
    assert_eq!(grouped, 0);
}

/// Many keys that are refused at once; all are told moments of their own, but for two, which are told
/// the moments that `of_pair` gives; how often it takes that for these two to be one project.
fn rounds_to_join(of_pair: impl Fn(usize) -> [Option<u64>; 2]) -> Option<usize> {
    let all: Vec<_> = keys(50).iter().map(|key| key.id).collect();
    let mut kin = Kinship::of(all.len());
    let mut now = START;
    (1..8).find(|round| {
        now = now + 3 * MINUTE;
        let of_pair = of_pair(*round);
        for (n, key) in all.iter().enumerate() {
            let millis = match n {
                0 => of_pair[0],
                49 => of_pair[1],
                _ => Some(n as u64 * 700),
            };
            let told_until = millis.map(|millis| now + 10 * SECOND + Duration::from_millis(millis));
            let refusal = Refusal { until: now + 50 * SECOND, told_until };
            kin.note_refused(*key, 0, refusal, now);
            kin.count(0, 0.0);
        }
        let groups = all[1..49].iter().filter(|key| kin.leader_of(**key).is_some()).count();
        assert_eq!(groups, 0, "nobody else is grouped");
        kin.leader_of(all[49]).is_some() && kin.leader_of(all[49]) == kin.leader_of(all[0])
    })
}

#[test]
fn keys_that_are_told_one_moment_are_one_project_and_those_told_different_ones_are_not() {
    // Answers take their time, a little more or less.
    let told_alike = rounds_to_join(|round| [Some(33_250), Some(33_250 + 20 * round as u64)]);
    assert!(told_alike.is_some_and(|rounds| rounds <= 3), "{told_alike:?}");
    let told_once = |round| if round % 2 == 1 { 0 } else { 5_000 };
    assert_eq!(rounds_to_join(|round| [Some(33_250), Some(33_250 + told_once(round))]), None);
    assert_eq!(rounds_to_join(|_| [None, None]), None, "silence is weak evidence");
}

#[test]
fn a_project_that_others_use_too_is_asked_one_request_at_a_time() {
    let mut pool = pool(1);
    pool.kin.set_size(2);
    let lease = pool.select(&ask("m"), START, 0).unwrap();
    pool.settle(lease, Err(&refused()), START);
    let back = START + 30 * SECOND;
    let first = pool.select(&ask("m"), back, 0).unwrap();
    let soon = pool.select(&ask("m"), back, 0).unwrap_err();
    assert_eq!(soon.until, Some(back + SECOND), "a refusal would be back by then");
    let second = pool.select(&ask("m"), back + SECOND, 0).unwrap();
    pool.settle(first, Ok(Usage::default()), back + SECOND);
    pool.settle(second, Ok(Usage::default()), back + SECOND);
    let later = START + 2 * 60 * MINUTE;
    let _first = pool.select(&ask("m"), later, 0).unwrap();
    assert!(pool.select(&ask("m"), later, 0).is_ok(), "an hour without such a refusal ends it");
}

#[test]
fn who_is_parted_from_a_group_rests_on() {
    let mut pool = pool(2);
    let all = keys(2);
    pool.kin.join(all[0].id, all[1].id, START);
    let lease = pool.select(&ask("m"), START, 0).unwrap();
    pool.settle(lease, Err(&refused()), START);
    pool.kin.dissolve(all[0].id);
    let now = START + SECOND;
    pool.in_flight(now);
    assert!(!is_same_project(&pool, 0, 1));
    let resting = pool.select(&Ask { tried: &[], ..ask("m") }, now, 0).unwrap_err();
    assert_eq!(resting.until, Some(START + 30 * SECOND));
}

#[test]
fn a_group_is_parted_when_one_is_served_while_another_is_refused() {
    let mut pool = pool(2);
    let all = keys(2);
    pool.kin.join(all[0].id, all[1].id, START);
    let lease = pool.select(&ask("m"), START, 0).unwrap();
    assert!(is_same_project(&pool, 0, 1));
    let refused_key = lease.key;
    pool.settle(lease, Err(&refused()), START);
    let test = pool.select(&ask("m"), START + SECOND, 0).unwrap();
    assert_ne!(test.key, refused_key, "the other is asked, though their project rests");
    assert!(pool.select(&ask("m"), START + SECOND, 0).is_err(), "once");
    pool.settle(test, Ok(Usage::default()), START + 2 * SECOND);
    pool.in_flight(START + 2 * SECOND);
    assert!(!is_same_project(&pool, 0, 1));
}

#[test]
fn what_was_inferred_is_forgotten_in_time_and_tags_stand() {
    let mut kin = Kinship::of(4);
    let all: Vec<_> = keys(4).iter().map(|key| key.id).collect();
    kin.join(all[0], all[1], START);
    kin.note_number(all[2], 5, START);
    kin.note_number(all[3], 5, START);
    assert!(kin.take_change(START) && kin.leader_of(all[1]) == Some(all[0]));
    kin.forget(START + LEARNED_FOR);
    assert!(kin.take_change(START + LEARNED_FOR) && kin.leader_of(all[1]).is_none());
    assert_eq!(kin.leader_of(all[3]), Some(all[2]), "numbers are Google's word");

    let mut tagged = keys(2);
    tagged[0].project = Some("p".into());
    let limits = PoolLimits { infer_projects: true, ..PoolLimits::default() };
    let mut pool = Pool::new(tagged, Strategy::RoundRobin).with_limits(limits);
    for _ in 0..2 {
        let lease = pool.select(&ask("m"), START, 0).unwrap();
        pool.settle(lease, Err(&numbered(42)), START);
    }
    assert!(!is_same_project(&pool, 0, 1));
}
