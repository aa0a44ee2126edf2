//! How the rows of each table and index are laid out, asked of an empty database with the same schema.

use rusqlite::Connection;
use rusqlite::types::{Type, Value};

use super::trees::Kind;

/// A table or an index, and what its rows look like.
pub(super) struct Object {
    pub(super) name: String,
    pub(super) table: String,
    /// An index repeats some columns of its table.
    pub(super) is_index: bool,
    /// Its rows have a row id beside their record.
    pub(super) has_rowids: bool,
    /// In the order of the record.
    pub(super) columns: Vec<Column>,
}

pub(super) struct Column {
    pub(super) name: String,
    /// `None` takes anything.
    kind: Option<Type>,
    can_be_missing: bool,
    /// It is the row id, which a table's record leaves out.
    is_rowid: bool,
}

impl Object {
    /// Whether a page of this kind can be one of it.
    pub(super) const fn has_pages_of(&self, kind: Kind) -> bool {
        match kind {
            Kind::TableInner | Kind::TableLeaf => self.has_rowids,
            Kind::IndexInner | Kind::IndexLeaf => !self.has_rowids,
        }
    }

    /// Whether a record can be one of its rows. A row that is older than the last columns is shorter.
    pub(super) fn fits(&self, values: &[Value]) -> bool {
        let mut left_out = self.columns.iter().skip(values.len());
        let is_long_enough = left_out.all(|column| column.can_be_missing && !self.is_index);
        let pairs = || self.columns.iter().zip(values);
        values.len() <= self.columns.len()
            && !values.is_empty()
            && is_long_enough
            && pairs().all(|(column, value)| column.takes(value, self.has_rowids))
    }

    /// A record's values in place, the row id among them.
    pub(super) fn complete(&self, rowid: Option<i64>, values: &mut [Value]) {
        if let Some(rowid) = rowid {
            for (column, value) in self.columns.iter().zip(values) {
                if column.is_rowid {
                    *value = Value::Integer(rowid);
                }
            }
        }
    }
}

impl Column {
    fn takes(&self, value: &Value, has_rowids: bool) -> bool {
        match value.data_type() {
            Type::Null => self.can_be_missing || (self.is_rowid && has_rowids),
            found => self.kind.is_none_or(|kind| kind == found),
        }
    }
}

/// Every table and index of a schema.
pub(super) fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    const TABLES: &str = "SELECT name, wr FROM pragma_table_list \
        WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let mut objects = Vec::new();
    let mut statement = connection.prepare(TABLES)?;
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for table in tables {
        let (table, is_without_rowid): (String, bool) = table?;
        let columns = columns(connection, &table, is_without_rowid)?;
        indexes(connection, &table, &columns, &mut objects)?;
        objects.push(Object {
            name: table.clone(),
            table,
            is_index: false,
            has_rowids: !is_without_rowid,
            columns,
        });
    }
    Ok(objects)
}

/// A table's columns. Without row ids, those of the primary key come first.
fn columns(connection: &Connection, table: &str, is_without_rowid: bool) -> rusqlite::Result<Vec<Column>> {
    const COLUMNS: &str = "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk FROM pragma_table_info(?1) \
        ORDER BY iif(?2 AND pk > 0, pk, 1000), cid";
    let mut statement = connection.prepare(COLUMNS)?;
    let columns = statement.query_map((table, is_without_rowid), |row| {
        let kind: String = row.get(1)?;
        let (is_needed, has_default, key): (bool, bool, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let kind = match kind.as_str() {
            "INTEGER" | "INT" => Some(Type::Integer),
            "TEXT" => Some(Type::Text),
            "BLOB" => Some(Type::Blob),
            "REAL" => Some(Type::Real),
            _ => None,
        };
        Ok(Column {
            name: row.get(0)?,
            kind,
            can_be_missing: !is_needed || has_default,
            is_rowid: !is_without_rowid && key > 0 && kind == Some(Type::Integer),
        })
    })?;
    columns.collect()
}

fn indexes(
    connection: &Connection,
    table: &str,
    columns: &[Column],
    objects: &mut Vec<Object>,
) -> rusqlite::Result<()> {
    // A primary key without row ids is the table itself.
    const INDEXES: &str = "SELECT name FROM pragma_index_list(?1) WHERE origin <> 'pk'";
    const COLUMNS: &str = "SELECT name FROM pragma_index_xinfo(?1) ORDER BY seqno";
    let mut statement = connection.prepare(INDEXES)?;
    let names: Vec<String> = statement
        .query_map([table], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for name in names {
        let mut statement = connection.prepare(COLUMNS)?;
        let indexed = statement
            .query_map([&name], |row| {
                // The row id goes by its column's name; what is computed has none.
                let name: Option<String> = row.get(0)?;
                let column = match &name {
                    Some(name) => columns.iter().find(|column| column.name == *name),
                    None => columns.iter().find(|column| column.is_rowid),
                };
                Ok(column.map(|column| Column {
                    name: column.name.clone(),
                    kind: column.kind,
                    can_be_missing: column.can_be_missing,
                    is_rowid: false,
                }))
            })?
            .collect::<rusqlite::Result<Option<Vec<Column>>>>()?;
        if let Some(columns) = indexed {
            objects.push(Object {
                name,
                table: table.to_owned(),
                is_index: true,
                has_rowids: false,
                columns,
            });
        }
    }
    Ok(())
}
