//! How the domain's values stand in a row.
//!
//! SQLite's integers are signed. A number beyond them is a sender's mistake (see `Tokens::PLAUSIBLE_MAX`) and is
//! kept as the largest one, because losing the row would be worse.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use uuid::Uuid;

use crate::domain::ids::{AlertId, BudgetId, CallId, CheckpointId, SessionId};
use crate::domain::session::clock::{BootId, Nanos};
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};

/// An unsigned number as SQLite can hold it.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that cannot be negative.
pub(super) struct Unsigned(pub(super) u64);

impl FromSql for Unsigned {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(number))
    }
}

macro_rules! unsigned {
    ($($name:ident),+) => { $(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Owned(Value::Integer(signed(self.0))))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Unsigned::column_result(value).map(|number| Self(number.0))
            }
        }
    )+ };
}

macro_rules! integer {
    ($($name:ident),+) => { $(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Owned(Value::Integer(self.0)))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    )+ };
}

macro_rules! id {
    ($($name:ident),+) => { $(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                sixteen_bytes(value).map(|bytes| Self::from_uuid(Uuid::from_bytes(bytes)))
            }
        }
    )+ };
}

unsigned!(Tokens, Millis);
integer!(NanoUsd, Timestamp, Nanos);
id!(CallId, SessionId, CheckpointId, AlertId, BudgetId);

impl ToSql for BootId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Blob(self.0.to_be_bytes().to_vec())))
    }
}

impl FromSql for BootId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        sixteen_bytes(value).map(|bytes| Self(u128::from_be_bytes(bytes)))
    }
}

fn sixteen_bytes(value: ValueRef<'_>) -> FromSqlResult<[u8; 16]> {
    let bytes = value.as_blob()?;
    <[u8; 16]>::try_from(bytes).map_err(|_| FromSqlError::InvalidBlobSize {
        expected_size: 16,
        blob_size: bytes.len(),
    })
}
