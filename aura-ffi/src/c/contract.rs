//! Data contracts.

use std::ffi::c_char;

use super::arguments::{handle, optional_handle, out, release, text};
use super::bytes::Bytes;
use super::failure::Failure;
use super::guard::{guard, quietly};
use super::status::Status;
use crate::api::{Contract, Table};

/// Reads a data contract from YAML or JSON.
///
/// Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_parse(
    contract: *const c_char,
    result: *mut *mut Contract,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("result", result)?;
        out.give(Contract::parse(text("contract", contract)?)?);
        Ok(())
    })
}

/// Reads a data contract from a file of YAML or JSON.
///
/// Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_load(
    path: *const c_char,
    result: *mut *mut Contract,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("result", result)?;
        out.give(Contract::load(text("path", path)?)?);
        Ok(())
    })
}

/// Returns a first contract, from what a table of events (`actor`, `event`, `time` and properties) holds.
///
/// Ownership: `*result` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_infer(
    name: *const c_char,
    table: *const Table,
    result: *mut *mut Contract,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("result", result)?;
        let name = text("name", name)?;
        out.give(Contract::infer(name, handle("table", table)?)?);
        Ok(())
    })
}

/// Returns the version; 0 for NULL.
///
/// Ownership: `contract` stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_version(contract: *const Contract) -> u32 {
    quietly(|| optional_handle(contract).map_or(0, |contract| contract.version()))
}

/// Writes the name.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_name(
    contract: *const Contract,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let contract = handle("contract", contract)?;
        out.give_bytes(contract.name());
        Ok(())
    })
}

/// Writes the contract as YAML.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_yaml(
    contract: *const Contract,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let contract = handle("contract", contract)?;
        out.give_bytes(contract.to_yaml()?);
        Ok(())
    })
}

/// Writes the contract as JSON.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_json(
    contract: *const Contract,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let contract = handle("contract", contract)?;
        out.give_bytes(contract.to_json()?);
        Ok(())
    })
}

/// Writes what changed from this contract to a newer one: a JSON list of objects with `path`, `compatibility` and `why`.
///
/// Ownership: `*bytes` and `*error` go to the caller, who frees them; all else stays with the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_compare(
    contract: *const Contract,
    newer: *const Contract,
    bytes: *mut *mut Bytes,
    error: *mut *mut Failure,
) -> Status {
    guard(error, || {
        let out = out("bytes", bytes)?;
        let contract = handle("contract", contract)?;
        out.give_bytes(contract.compare(handle("newer", newer)?)?);
        Ok(())
    })
}

/// Lets go of a contract. Calls that run with it go on.
///
/// Ownership: takes `contract`; NULL is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aura_contract_free(contract: *mut Contract) {
    release(contract);
}
