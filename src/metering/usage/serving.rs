//! Hot requests that take the long way to the Meter.

use crate::catalog::metrics;
use crate::kernel::error::{Error, Result};
use crate::kernel::tenant::Tenant;
use crate::meter::client::call;
use crate::meter::contract::{Call, Done};
use crate::meter::wire::{HotReply, HotRequest, METRICS_NEEDED};

/// Tells the Meter every metric that the vendor has defined; their number is the version. Where there is none, there is nothing to tell.
pub async fn put_metrics(tenant: &Tenant) -> Result<()> {
    let defined = metrics::store::defined(tenant.app()).await?;
    if defined.is_empty() {
        return Ok(());
    }
    let version = i64::try_from(defined.len()).unwrap_or(i64::MAX);
    let metrics = defined.iter().map(|metric| (metric.key.clone(), metric.rule())).collect();
    let event_types = defined.into_iter().filter_map(|metric| Some((metric.event_type?, metric.key))).collect();
    call::<Done>(tenant, Call::PutMetrics { version, metrics, event_types }).await.map(|_| ())
}

/// Hands a hot request to the Meter. One that names a metric the Meter doesn't know is handed to it again when the Meter knows them all.
pub async fn serve(tenant: &Tenant, mut request: HotRequest<'_>) -> Result<HotReply> {
    let meters = &tenant.app().meters;
    let mut text = meters.serve(tenant.organization(), request.to_wire()).await?;
    if text == METRICS_NEEDED {
        put_metrics(tenant).await?;
        request.has_all_metrics = true;
        text = meters.serve(tenant.organization(), request.to_wire()).await?;
    }
    HotReply::from_wire(&text).ok_or_else(|| Error::internal("the Meter's answer can't be read"))
}
