//! Hot requests that the Worker sends to the Meter itself.

use crate::catalog::metrics;
use crate::kernel::error::{Error, Result};
use crate::kernel::tenant::Tenant;
use crate::meter::client::call;
use crate::meter::contract::{Call, Done};
use crate::meter::wire::{HotReply, HotRequest, METRICS_NEEDED};

/// Sends every metric that the vendor has defined to the Meter, unless there is none; their number is the version.
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

/// Sends a hot request to the Meter. One that names an unknown metric is sent again once the Meter has all metrics.
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
