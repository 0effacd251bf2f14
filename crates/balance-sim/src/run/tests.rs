use super::*;

#[test]
fn the_same_seed_makes_the_same_run() {
    let setting = Setting::standard(5, 0.5, 1, 7);
    assert_eq!(run(&setting, "balanced"), run(&setting, "balanced"));
    let other = Setting { seed: 8, ..setting.clone() };
    assert_ne!(run(&setting, "balanced"), run(&other, "balanced"));
    assert_eq!(run(&setting, "nonsense"), None);
}

#[test]
fn the_pool_wastes_little_where_plain_turns_waste_much() {
    let setting = Setting::standard(20, 0.95, 1, 1);
    let pool = run(&setting, "balanced").unwrap();
    let plain = run(&setting, "plain-round-robin").unwrap();
    // In one hour the tokens bind, and large requests do not fill a minute's tokens to the last.
    assert!(pool.efficiency >= 0.96, "{pool:?}");
    assert!(pool.waste_all <= 0.01 && pool.waste_all * 5.0 < plain.waste_all, "{pool:?} {plain:?}");
    assert_eq!(pool.wrong_blame, 0);
}

#[test]
fn dead_keys_cost_no_request() {
    for seed in 1..=3 {
        let setting = Setting { dead: 12, ..Setting::standard(20, 0.5, 1, seed) };
        let figures = run(&setting, "balanced").unwrap();
        assert!(figures.efficiency >= 0.999, "{figures:?}");
        assert_eq!((figures.failed_needlessly, figures.wrong_blame), (0, 0), "{figures:?}");
    }
}

#[test]
fn nodes_that_share_keys_by_slices_serve_as_much_and_are_hardly_refused() {
    let setting = Setting { nodes: 4, ..Setting::standard(20, 0.95, 2, 1) };
    let figures = run(&setting, "balanced").unwrap();
    assert!(figures.efficiency >= 0.95, "{figures:?}");
    assert!(figures.waste_after <= 0.001 && figures.wrong_blame == 0, "{figures:?}");
}

#[test]
fn in_a_storm_no_request_fails_that_a_key_that_works_had_room_for() {
    let storms = [(0.2, 1), (0.4, 1), (0.4, 2), (0.5, 1), (0.5, 2), (1.0, 1), (1.0, 2), (1.0, 3)];
    for (storm, seed) in storms {
        let setting = Setting { storm, ..Setting::standard(20, 0.3, 3, seed) };
        let figures = run(&setting, "balanced").unwrap();
        assert_eq!((figures.failed_needlessly, figures.wrong_blame), (0, 0), "{figures:?}");
        assert!(storm > 0.9 || figures.failed == 0, "{figures:?}");
    }
}
