//! Makes the plan of an ingest from what a source has, what a contract declares and what the store
//! holds.

use super::plan::{PlanColumn, ReadPlan};
use super::{IngestOptions, Preset};
use crate::event::contract::CompiledContract;
use crate::event::{ACTOR, EVENT, EVENT_ID, MOST_PROPERTIES, PropertyType, Roles, TIME};
use crate::{Error, Result};

/// What a source has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Available {
    /// Every key or header, in order.
    pub(crate) keys: Vec<String>,
    /// The ones whose type is known, roles included.
    pub(crate) typed: Vec<(String, PropertyType)>,
}

/// Makes the plan. With a contract the declared properties are columns, and those of `existing` that
/// the source has; without one all typed keys are. A key whose name differs from a column only in
/// case stays in `extra`, since DuckDB does not tell such names apart; so does one for which the store has no room.
///
/// # Errors
/// `InvalidSpec` when a role has no column, the zone is unknown, or the contract declares a type
/// that differs from that of the store's column, or more columns than the store has room for.
pub(crate) fn plan(
    options: &IngestOptions,
    available: &Available,
    existing: &[(String, PropertyType)],
) -> Result<(ReadPlan, Option<CompiledContract>)> {
    let roles = match options.preset {
        None => options.roles.resolve(&available.keys)?,
        Some(_) => Roles::new(ACTOR, EVENT, TIME)
            .with_event_id(EVENT_ID)
            .resolve(&available.keys)?,
    };
    let zone = match (
        options.roles.zone()?,
        options.preset.and_then(Preset::default_time_zone),
    ) {
        (None, Some(name)) => Roles::default().with_time_zone(name).zone()?,
        (zone, _) => zone,
    };
    let contract = options
        .contract
        .as_deref()
        .map(|c| c.compile())
        .transpose()?;
    let is_role = |key: &str| {
        key == roles.actor
            || key == roles.time
            || roles.event.as_deref() == Some(key)
            || roles.event_id.as_deref() == Some(key)
    };
    let mut wanted: Vec<(String, PropertyType)> = Vec::new();
    match &contract {
        Some(contract) => {
            wanted.extend(contract.declared());
            let declared = wanted.len();
            for (name, ty) in existing {
                let known = wanted.iter().take(declared).any(|(n, _)| n == name);
                if !known && available.keys.contains(name) {
                    wanted.push((name.clone(), *ty));
                }
            }
        }
        None => wanted.extend(available.typed.iter().cloned()),
    }
    let mut properties: Vec<PlanColumn> = Vec::new();
    let mut room = MOST_PROPERTIES.saturating_sub(existing.len());
    let mut beyond = 0;
    for (key, ty) in wanted {
        if is_role(&key) || key.is_empty() {
            continue;
        }
        let name = ReadPlan::column_name(&key);
        let same = |other: &str| other.eq_ignore_ascii_case(&name);
        if properties.iter().any(|p| same(&p.name)) || crate::event::is_reserved(&name) {
            continue;
        }
        let ty = match existing.iter().find(|(n, _)| same(n)) {
            None if room > 0 => {
                room -= 1;
                ty
            }
            None if contract.is_some() => {
                return Err(Error::invalid_spec(format!(
                    "the contract declares `{key}`, but with the {} columns that the store has there would be more than {MOST_PROPERTIES}; declare fewer properties",
                    existing.len()
                )));
            }
            None => {
                beyond += 1;
                continue;
            }
            Some((n, _)) if *n != name => continue,
            Some((_, stored)) if *stored == ty => ty,
            Some((_, stored)) if contract.is_none() => *stored,
            Some((_, stored)) => {
                return Err(Error::invalid_spec(format!(
                    "the contract declares `{key}` as {}, but the store's column `{name}` is {}; declare it so, or rename the property",
                    ty.name(),
                    stored.name()
                )));
            }
        };
        properties.push(PlanColumn { key, name, ty });
    }
    let plan = ReadPlan {
        event_id: roles.event_id,
        actor: roles.actor,
        event: roles.event,
        event_name: roles.event_name,
        time: roles.time,
        time_zone: zone,
        time_unit: options.roles.time_unit,
        beyond,
        schema: ReadPlan::schema_of(&properties),
        properties,
    };
    Ok((plan, contract))
}
