// Generated from src/meter/hot_paths.rs: UPDATE=1 cargo test --test it drift

/** The endpoints that a Meter answers itself: method and path. */
export const HOT_PATHS = [
  ["GET", "/v1/usage"],
  ["POST", "/v1/usage"],
  ["POST", "/v1/usage/consumption"],
  ["POST", "/v1/usage/batch"],
  ["POST", "/v1/events"],
  ["GET", "/v1/quotas/{metric}"],
  ["POST", "/v1/reservations"],
  ["GET", "/v1/reservations/{id}"],
  ["DELETE", "/v1/reservations/{id}"],
  ["POST", "/v1/reservations/{id}/settlement"],
];

/** Where CloudEvents arrive, whose attributes may be headers. */
export const EVENTS_PATH = "/v1/events";
