use jiff::{SignedDuration, Timestamp};

use super::{snapshots, time};
use crate::operations::Call;
use crate::protocol::{Element, Fault, Params};
use crate::records::{Lock, LockMode, Snapshot};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// For how many days a snapshot may be locked, and how many hours a cool-off may have.
const DAYS: std::ops::RangeInclusive<u64> = 1..=36_500;
const COOL_OFF_HOURS: std::ops::RangeInclusive<u64> = 1..=72;

/// What is asked for.
struct Wish {
    mode: LockMode,
    cool_off_hours: Option<i64>,
    /// For how many days, or until when.
    end: End,
}

enum End {
    Days(i64),
    Date(Timestamp),
}

/// Locks a snapshot against being deleted, or changes its lock.
///
/// A lock of governance, and one of compliance in its cool-off, can be changed at will; after the cool-off only its end
/// can be put off. The codes and the words of the errors are assumed.
pub(crate) fn lock_snapshot(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    let wish = wish(call, params)?;
    let lock = call.change(params, |change| {
        let mut snapshot = Snapshot::clone(snapshots::own(call, change, id)?.as_ref());
        if snapshot.failed.is_some() {
            let message = format!("The snapshot '{id}' is in error and cannot be locked");
            return Err(Fault::client("IncorrectState", message));
        }
        let older = snapshot.lock.take().filter(|lock| lock.is_held(call.now));
        let lock = locked(call, id, older.as_ref(), &wish)?;
        snapshot.lock = Some(lock.clone());
        change.put(snapshot);
        Ok(lock)
    })?;
    Ok(describe(call, id, &lock))
}

fn wish(call: &Call<'_>, params: &Params) -> Result<Wish, Fault> {
    let mode = match params.required("LockMode")? {
        "governance" => LockMode::Governance,
        "compliance" => LockMode::Compliance,
        other => return Err(Fault::invalid_value("LockMode", other)),
    };
    let within = |name: &str, allowed: std::ops::RangeInclusive<u64>| {
        let number = params.number(name)?;
        match number.filter(|number| !allowed.contains(number)) {
            Some(wrong) => Err(Fault::invalid_value(name, &wrong.to_string())),
            None => Ok(number.and_then(|number| i64::try_from(number).ok())),
        }
    };
    let cool_off_hours = within("CoolOffPeriod", COOL_OFF_HOURS)?;
    if cool_off_hours.is_some() && mode == LockMode::Governance {
        let message = "CoolOffPeriod can only be used with the lock mode compliance";
        return Err(Fault::client("InvalidParameterCombination", message));
    }
    let date = params
        .get("ExpirationDate")
        .map(|text| text.parse::<Timestamp>().map_err(|_| Fault::invalid_value("ExpirationDate", text)))
        .transpose()?;
    let end = match (within("LockDuration", DAYS)?, date) {
        (Some(days), None) => End::Days(days),
        // A lock holds for a day at least, as the shortest duration does.
        (None, Some(date)) if date < call.world.clock().after(call.now, DAY) => {
            return Err(Fault::invalid_value("ExpirationDate", &date.to_string()));
        }
        (None, Some(date)) => End::Date(date),
        _ => {
            let message = "Either LockDuration or ExpirationDate must be given";
            return Err(Fault::client("InvalidParameterCombination", message));
        }
    };
    Ok(Wish { mode, cool_off_hours, end })
}

/// Returns the lock that comes of a wish and the lock that there is.
fn locked(call: &Call<'_>, id: &str, older: Option<&Lock>, wish: &Wish) -> Result<Lock, Fault> {
    let clock = call.world.clock();
    let fixed = older.filter(|lock| lock.state(call.now) == "compliance");
    let started = older.map_or(call.now, |lock| lock.started);
    let (duration_days, expires) = match wish.end {
        End::Days(days) => {
            let duration = SignedDuration::from_hours(days.saturating_mul(24));
            (days, clock.after(started, duration))
        }
        End::Date(date) => {
            let day = clock.scaled(DAY).as_secs().max(1);
            (date.duration_since(started).as_secs().div_euclid(day).max(1), date)
        }
    };
    if let Some(fixed) = fixed {
        let refuse = |why: &str| {
            let message = format!("The snapshot '{id}' is locked in compliance mode: {why}");
            Err(Fault::client("OperationNotPermitted", message))
        };
        if wish.mode != LockMode::Compliance {
            return refuse("the mode cannot be changed");
        }
        if wish.cool_off_hours.is_some() {
            return refuse("its cooling-off period is over and cannot be set again");
        }
        if expires < fixed.expires {
            return refuse("the lock can only be extended");
        }
        return Ok(Lock { duration_days, expires, ..fixed.clone() });
    }
    let cool_off_ends =
        wish.cool_off_hours.map(|hours| clock.after(call.now, SignedDuration::from_hours(hours)));
    Ok(Lock {
        mode: wish.mode,
        created: older.map_or(call.now, |lock| lock.created),
        started,
        duration_days,
        cool_off_hours: wish.cool_off_hours,
        cool_off_ends,
        expires,
    })
}

/// Takes the lock of a snapshot back: one of governance, or one of compliance in its cool-off.
pub(crate) fn unlock_snapshot(call: &Call<'_>, params: &Params) -> Result<Element, Fault> {
    let id = snapshots::id(params)?;
    call.change(params, |change| {
        let mut snapshot = Snapshot::clone(snapshots::own(call, change, id)?.as_ref());
        match snapshot.lock.take().map(|lock| lock.state(call.now)) {
            None | Some("expired") => {
                let message = format!("The snapshot '{id}' is not locked");
                return Err(Fault::client("IncorrectState", message));
            }
            Some("compliance") => {
                let message = format!("The snapshot '{id}' is locked in compliance mode");
                return Err(Fault::client("OperationNotPermitted", message));
            }
            Some(_) => change.put(snapshot),
        }
        Ok(())
    })?;
    Ok(Element::default().text("snapshotId", id))
}

/// Writes the lock of a snapshot.
pub(super) fn describe(call: &Call<'_>, id: &str, lock: &Lock) -> Element {
    Element::default()
        .text("snapshotId", id)
        .text("lockState", lock.state(call.now))
        .text("lockDuration", lock.duration_days)
        .maybe("coolOffPeriod", lock.cool_off_hours)
        .maybe("coolOffPeriodExpiresOn", lock.cool_off_ends.map(time))
        .text("lockCreatedOn", time(lock.created))
        .text("lockDurationStartTime", time(lock.started))
        .text("lockExpiresOn", time(lock.expires))
}
