//! The noun of every question: a table with the roles actor, event and time.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, Result as DfResult};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use datafusion::prelude::{DataFrame, SessionContext};
use futures::StreamExt;
use jiff::tz::TimeZone;

use super::bounds;
use super::ordered::{ScanSource, Shape, Sizes};
use super::query_error::query_error;
use super::runtime::on_query_threads;
use super::session::EngineSettings;
use super::table::{ScanStats, Table};
use crate::event::{ACTOR, EVENT, EVENT_ID, Roles, TIME, TimeUnit};
use crate::ingest::times::to_micros;
use crate::{Error, Result};

/// Events: any table with the roles actor, event and time.
///
/// **Shapes.** As the SQL table `events` it has the columns `event_id` (only if the roles name one),
/// `actor`, `event`, `time` (timestamp in UTC microseconds), then every other column of the source
/// under its own name. A role column whose own name differs stays usable under that name as well,
/// as it came.
#[derive(Clone)]
pub struct Events {
    context: SessionContext,
    provider: Arc<dyn TableProvider>,
    counters: Option<Arc<super::files_table::ScanCounters>>,
    on_scan: Option<OnScan>,
    /// The table behind `provider`, and how the roles come from its columns.
    source: (Arc<dyn TableProvider>, Shape),
}

/// Told the files and bytes that a query has read.
pub(crate) type OnScan = Arc<dyn Fn(u64, u64) + Send + Sync>;

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events")
            .field("schema", &self.schema())
            .finish_non_exhaustive()
    }
}

impl Events {
    /// Takes Arrow batches of one schema without copying them.
    ///
    /// # Errors
    /// `InvalidSpec` when a role has no column, or the time column carries no zone and none is
    /// stated; `InvalidData` when the batches differ in schema or a role column has an unfit type.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use arrow::array::{Int64Array, RecordBatch, StringArray};
    /// use aura_core::engine::Events;
    /// use aura_core::event::Roles;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let batch = RecordBatch::try_from_iter([
    ///     ("user_id", Arc::new(StringArray::from(vec!["a", "b", "a"])) as _),
    ///     ("event", Arc::new(StringArray::from(vec!["view", "view", "buy"])) as _),
    ///     ("ts", Arc::new(Int64Array::from(vec![1_767_225_600, 1_767_225_601, 1_767_225_602])) as _),
    /// ])?;
    /// let events = Events::from_batches(vec![batch], &Roles::new("user_id", "event", "ts"))?;
    /// let table = events.sql("SELECT event, count(*) AS n FROM events GROUP BY event ORDER BY n DESC").await?;
    /// assert_eq!(table.num_rows(), 2);
    /// # Ok::<(), aura_core::Error>(()) }).unwrap();
    /// ```
    pub fn from_batches(batches: Vec<RecordBatch>, roles: &Roles) -> Result<Events> {
        Events::from_batches_with(batches, roles, &EngineSettings::default())
    }

    /// Takes Arrow batches as [`from_batches`](Self::from_batches) does, with settings of the engine.
    ///
    /// # Errors
    /// As [`from_batches`](Self::from_batches); `InvalidSpec` when a setting is out of range.
    pub fn from_batches_with(
        batches: Vec<RecordBatch>,
        roles: &Roles,
        settings: &EngineSettings,
    ) -> Result<Events> {
        let schema = match batches.first() {
            Some(first) => first.schema(),
            None => {
                return Err(Error::invalid_data(
                    "no batches were given, so there is no schema; give at least one batch, which may be empty",
                ));
            }
        };
        let provider = MemTable::try_new(schema, vec![batches])?;
        Events::from_provider(Arc::new(provider), roles, settings)
    }

    /// Takes a table that is registered in a DataFusion session.
    ///
    /// # Errors
    /// `NotFound` when the session has no such table; otherwise as [`from_batches`](Self::from_batches).
    pub async fn from_table(
        session: &SessionContext,
        table: &str,
        roles: &Roles,
    ) -> Result<Events> {
        let provider = session.table_provider(table).await.map_err(|e| {
            Error::not_found(format!("the session has no table `{table}`")).with_source(e)
        })?;
        Events::build(session.clone(), provider, roles)
    }

    /// Takes any DataFusion table.
    pub(crate) fn from_provider(
        provider: Arc<dyn TableProvider>,
        roles: &Roles,
        settings: &EngineSettings,
    ) -> Result<Events> {
        Events::build(settings.context()?, provider, roles)
    }

    /// Takes a table that is canonical already.
    pub(crate) fn canonical(
        context: SessionContext,
        table: super::FilesTable,
        on_scan: Option<OnScan>,
    ) -> Result<Events> {
        super::functions::register(&context);
        let counters = table.counters();
        let provider: Arc<dyn TableProvider> = Arc::new(table);
        context.register_table("events", Arc::clone(&provider))?;
        let shape = Shape::canonical(&provider.schema());
        Ok(Events {
            context,
            source: (Arc::clone(&provider), shape),
            provider,
            counters: Some(counters),
            on_scan,
        })
    }

    fn build(
        context: SessionContext,
        provider: Arc<dyn TableProvider>,
        roles: &Roles,
    ) -> Result<Events> {
        let (plan, shape) = canonical_plan(&provider, roles)?;
        let source = (provider, shape);
        let provider: Arc<dyn TableProvider> =
            Arc::new(datafusion::datasource::ViewTable::new(plan, None));
        // A session of our own: the host's may have a table `events` already.
        let context = SessionContext::new_with_state(context.state());
        super::functions::register(&context);
        if context.table_exist("events")? {
            context.deregister_table("events")?;
        }
        context.register_table("events", Arc::clone(&provider))?;
        Ok(Events {
            context,
            provider,
            counters: None,
            on_scan: None,
            source,
        })
    }

    /// Returns the events in the form that scans by actor take.
    pub(crate) fn scan_source(&self) -> ScanSource {
        let (table, shape) = &self.source;
        ScanSource {
            context: self.context.clone(),
            table: Arc::clone(table),
            shape: shape.clone(),
            events: self.provider.schema(),
            on_scan: self.on_scan.clone(),
            sizes: Sizes::default(),
        }
    }

    /// Returns the schema of the table `events`.
    pub fn schema(&self) -> SchemaRef {
        self.provider.schema()
    }

    /// Runs one SQL query (DataFusion's dialect) over the table `events`.
    ///
    /// Names without quotes are taken in lower case: a column with capitals or other characters is written in
    /// double quotes (`SELECT "userPlan"`). There are no functions for JSON: `extra`, and columns of JSON, are text.
    ///
    /// Rows come in the order of `ORDER BY`; without it their order is not defined. The query runs on threads of the library,
    /// so that any executor may wait for it; dropping the future stops it.
    ///
    /// # Errors
    /// `InvalidSpec` for text that is no query (statements that change something are refused), that
    /// names an unknown column, or that is too large to be planned (over 250 operators, 64 `SELECT`s, or 128 reads of tables), `InvalidData` when a value cannot be computed, `ResourceExhausted`
    /// when the memory limit is reached.
    pub async fn sql(&self, query: &str) -> Result<Table> {
        let (events, query) = (self.clone(), query.to_owned());
        on_query_threads(async move { events.run_sql(&query).await }).await
    }

    async fn run_sql(&self, query: &str) -> Result<Table> {
        bounds::check_text(query)?;
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let state = self.context.state();
        let dialect = &state.config_options().sql_parser.dialect;
        let statement = state
            .sql_to_statement(query, dialect)
            .map_err(query_error)?;
        bounds::check_statement(&statement)?;
        let plan = state.statement_to_plan(statement).await;
        let plan = plan.map_err(query_error)?;
        options.verify_plan(&plan).map_err(query_error)?;
        let frame = self.context.execute_logical_plan(plan).await?;
        self.collect(frame).await
    }

    /// Returns the table as the start of a plan.
    pub(crate) fn frame(&self) -> Result<DataFrame> {
        Ok(self.context.read_table(Arc::clone(&self.provider))?)
    }

    /// Runs a plan over the table and keeps its rows. The caller is on a thread for queries.
    pub(crate) async fn collect(&self, frame: DataFrame) -> Result<Table> {
        let before = self.counters.as_ref().map(|c| c.files());
        let task = Arc::new(frame.task_ctx());
        let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
        let plan = frame.create_physical_plan().await.map_err(query_error)?;
        let batches = collect(Arc::clone(&plan), task).await?;
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        let scan = self.scanned(before, &plan);
        Ok(Table::new(schema, batches).with_scan(scan))
    }

    /// Runs a plan over the table and hands its batches to `take`, one after the other in their order.
    pub(crate) async fn fold(
        &self,
        frame: DataFrame,
        take: &mut (dyn FnMut(&RecordBatch) -> Result<()> + Send),
    ) -> Result<ScanStats> {
        let before = self.counters.as_ref().map(|c| c.files());
        let task = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await?;
        let mut stream = execute_stream(Arc::clone(&plan), task)?;
        while let Some(batch) = stream.next().await {
            take(&batch?)?;
        }
        Ok(self.scanned(before, &plan))
    }

    fn scanned(&self, before: Option<(u64, u64)>, plan: &Arc<dyn ExecutionPlan>) -> ScanStats {
        let (files_total, files_read) = match (before, &self.counters) {
            (Some(before), Some(counters)) => {
                let after = counters.files();
                (after.0 - before.0, after.1 - before.1)
            }
            _ => (0, 0),
        };
        let bytes_read = bytes_scanned(plan);
        if let Some(on_scan) = &self.on_scan {
            on_scan(files_read, bytes_read);
        }
        ScanStats {
            files_total,
            files_read,
            bytes_read,
        }
    }
}

/// Sums the bytes that the file sources of a finished plan have read.
fn bytes_scanned(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let own = plan
        .downcast_ref::<DataSourceExec>()
        .and_then(|source| source.metrics())
        .and_then(|m| m.sum_by_name("bytes_scanned"))
        .map_or(0, |v| v.as_usize() as u64);
    own + plan.children().into_iter().map(bytes_scanned).sum::<u64>()
}

/// Projects a table so that its roles have their canonical names and types.
fn canonical_plan(
    provider: &Arc<dyn TableProvider>,
    roles: &Roles,
) -> Result<(datafusion::logical_expr::LogicalPlan, Shape)> {
    let schema = provider.schema();
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    let found = roles.resolve(&names)?;
    let column = |name: &str| Expr::Column(Column::from_name(name));
    let mut out: Vec<Expr> = Vec::new();
    let mut taken: Vec<&str> = vec![ACTOR, EVENT, TIME];
    if let Some(id) = &found.event_id {
        out.push(column(id).alias(EVENT_ID));
        taken.push(EVENT_ID);
    }
    out.push(column(&found.actor).alias(ACTOR));
    out.push(match (&found.event, &found.event_name) {
        (Some(event), _) => column(event).alias(EVENT),
        (None, name) => datafusion::prelude::lit(name.clone().unwrap_or_default()).alias(EVENT),
    });
    let time_type = schema.field_with_name(&found.time)?.data_type().clone();
    let zone = roles.zone()?;
    let time = if time_type == crate::event::time_type() {
        column(&found.time)
    } else {
        // Asked of an empty column now, so that an unfit type or a missing zone fails here and not
        // in the first query.
        let empty: ArrayRef = arrow::array::new_empty_array(&time_type);
        to_micros(&found.time, &empty, zone.as_ref(), roles.time_unit)?;
        ScalarUDF::from(ToTime::new(
            found.time.clone(),
            zone.clone(),
            roles.time_unit,
        ))
        .call(vec![column(&found.time)])
    };
    out.push(time.alias(TIME));
    for name in &names {
        if !taken.contains(&name.as_str()) {
            out.push(column(name));
        }
    }
    let plan = LogicalPlanBuilder::scan("source", provider_as_source(Arc::clone(provider)), None)?
        .project(out)?
        .build()?;
    Ok((plan, Shape::new(found, zone, roles.time_unit)))
}

/// The conversion of a time column as a function of the engine.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ToTime {
    column: String,
    zone: Option<String>,
    unit: TimeUnit,
    signature: Signature,
}

impl ToTime {
    fn new(column: String, zone: Option<TimeZone>, unit: TimeUnit) -> Self {
        ToTime {
            column,
            zone: zone.and_then(|z| z.iana_name().map(str::to_owned)),
            unit,
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ToTime {
    fn name(&self) -> &str {
        "aura_time"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(crate::event::time_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let zone = match &self.zone {
            Some(name) => {
                Some(TimeZone::get(name).map_err(|e| Error::invalid_spec(e.to_string()))?)
            }
            None => None,
        };
        let array = arrays
            .first()
            .ok_or_else(|| Error::internal("aura_time takes one argument"))?;
        let times = to_micros(&self.column, array, zone.as_ref(), self.unit)?;
        if let Some((row, message)) = times.bad.first() {
            return Err(Error::invalid_data(format!(
                "time column `{}`, row {} of a batch: {message}",
                self.column,
                row + 1
            ))
            .into());
        }
        Ok(ColumnarValue::Array(Arc::new(times.values)))
    }
}
