//! Free keys before paid ones.

use super::*;

#[test]
fn paid_keys_serve_once_no_free_one_is_ready_and_only_the_models_on_their_list() {
    let mut all = keys(4);
    (all[0].tier, all[1].tier) = (Tier::Paid, Tier::Paid);
    let rpm = Limits { requests_per_minute: Some(3), ..Limits::default() };
    let paid_models = PaidModels::new(["pro*"]);
    let limits = PoolLimits { default: rpm, paid_models, ..PoolLimits::default() };
    for strategy in [Strategy::Balanced, Strategy::Weighted, Strategy::LeastUsed] {
        let mut pool = Pool::new(all.clone(), strategy).with_limits(limits.clone());
        let is_paid = |id: KeyId| all[..2].iter().any(|key| key.id == id);
        let mut order = Vec::new();
        while let Ok(lease) = pool.select(&ask("pro-1"), START, 7) {
            order.push(is_paid(lease.key));
            pool.cancel(lease, START);
        }
        assert_eq!(order, [[false; 6], [true; 6]].concat(), "{strategy}");
        assert_eq!(drain(&mut pool, "flash", 0, START).0, 6, "{strategy}");
        let census = pool.census(Some("flash"), START);
        assert_eq!((census.resting, census.reserved), (2, 2));
        let told = pool.explain(&ask("flash"), 4, START);
        assert_eq!(told.candidates[3].why, Some("paid_models"));
    }
    let mut pool = Pool::new(all[..2].to_vec(), Strategy::Balanced).with_limits(limits);
    let resting = pool.select(&ask("flash"), START, 7).unwrap_err();
    assert_eq!(resting, Resting { until: None, why: Why::AllOut });
}
