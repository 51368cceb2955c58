//! The slots of all accounts for programs: docs/sessions.md has the shape.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::slots::{ListedAccount, ListedSlot, ListedState};

/// The whole list, as `exorun sessions --format json` prints it and the admin server answers it.
pub fn listed(reach: &str, accounts: &[ListedAccount], now: Timestamp) -> Value {
    let accounts: Vec<Value> = accounts.iter().map(account).collect();
    json!({ "version": 1, "at": now, "reach": reach, "accounts": accounts })
}

fn account(listed: &ListedAccount) -> Value {
    let account = &listed.account;
    json!({
        "account": account.digest(),
        "cloud": account.cloud,
        "tenant_id": account.tenant_id,
        "object_id": account.object_id,
        "limit": listed.limit,
        "lowered_to": listed.lowered_to,
        "opened_in_window": listed.opens,
        "waiting": listed.waiting,
        "slots": listed.slots.iter().map(slot).collect::<Vec<_>>(),
    })
}

fn slot(listed: &ListedSlot) -> Value {
    let slot = listed.slot.0;
    match &listed.state {
        ListedState::Held { holder, place, since, lease_ends, call_limit } => json!({
            "slot": slot,
            "state": "held",
            "job": holder.job,
            "run": holder.run_id,
            "connection_id": holder.connection_id,
            "place": place,
            "since": since,
            "lease_ends": lease_ends,
            "call_limit_seconds": call_limit.as_secs_f64(),
        }),
        ListedState::Quarantined { since, until } => {
            json!({ "slot": slot, "state": "quarantined", "since": since, "until": until })
        }
    }
}
