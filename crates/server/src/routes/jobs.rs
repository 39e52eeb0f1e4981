use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::{Stream, stream};
use qanda_core::RequestContext;
use qanda_core::ports::{JobId, JobStatus};
use serde_json::{Value, json};

use crate::serving::Stopping;
use crate::wire::{self, Form};
use crate::{Problem, Service};

/// Time between two looks at a job, which another process may be working on.
const LOOKS: Duration = Duration::from_millis(200);

/// The last jobs, newest first.
#[utoipa::path(
    get,
    path = "/apis/jobs",
    tag = "Documents",
    responses(
        (status = 200, description = "The jobs", body = ref("#/components/schemas/Jobs"), content_type = "application/json"),
    ),
)]
pub(crate) async fn jobs(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
) -> Result<Json<Value>, Problem> {
    let jobs = service.intake()?.jobs(&context).await?;
    Ok(Json(json!({"jobs": jobs.iter().map(wire::job_json).collect::<Vec<_>>()})))
}

/// A job: how far it is, or an event each time that it has come further.
#[utoipa::path(
    get,
    path = "/apis/jobs/{id}",
    tag = "Documents",
    params(("id" = String, Path, description = "Id of the job")),
    responses(
        (status = 200, description = "The job, or an event each time that it has come further", content((ref("#/components/schemas/Job") = "application/json"),
        (String = "text/event-stream"))),
    ),
)]
pub(crate) async fn job(
    State(service): State<Service>,
    Extension(context): Extension<RequestContext>,
    stopping: Option<Extension<Stopping>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = JobId::from(id);
    let job = find(&service, &context, &id).await?;
    if Form::wanted(&headers, false) != Form::Events {
        return Ok(Json(wire::job_json(&job)).into_response());
    }
    Ok(Sse::new(progress(service, context, stopping.map(|Extension(stopping)| stopping), job))
        .keep_alive(KeepAlive::default())
        .into_response())
}

async fn find(service: &Service, context: &RequestContext, id: &JobId) -> Result<JobStatus, Problem> {
    service.intake()?.job(context, id).await?.ok_or_else(Problem::no_such_job)
}

/// `progress` for each state that is seen, then `done`, or `error`. At the request's deadline, and when the process is
/// about to end, it just ends: a browser connects again by itself.
fn progress(
    service: Service,
    context: RequestContext,
    stopping: Option<Stopping>,
    job: JobStatus,
) -> impl Stream<Item = Result<Event, Infallible>> {
    /// What is told next.
    enum Next {
        Told(JobStatus),
        New(JobStatus),
        End,
    }
    stream::unfold(
        (service, context, stopping, Next::New(job)),
        |(service, context, mut stopping, mut next)| async move {
            loop {
                match next {
                    Next::End => return None,
                    Next::New(job) => {
                        let (name, then) = if job.state.is_end() { ("done", None) } else { ("progress", Some(&job)) };
                        let event = Event::default().event(name).data(wire::job_json(&job).to_string());
                        let then = then.cloned().map_or(Next::End, Next::Told);
                        return Some((Ok(event), (service, context, stopping, then)));
                    }
                    Next::Told(told) => {
                        if context.is_late() {
                            return None;
                        }
                        let is_stopping = match &mut stopping {
                            Some(stopping) => stopping.comes_within(LOOKS).await,
                            None => {
                                tokio::time::sleep(LOOKS).await;
                                false
                            }
                        };
                        if is_stopping {
                            return None;
                        }
                        next = match find(&service, &context, &told.id).await {
                            Ok(job) if job == told => Next::Told(told),
                            Ok(job) => Next::New(job),
                            Err(problem) => {
                                problem.log(&context.request_id);
                                let data = problem.to_json(&context.request_id).to_string();
                                return Some((
                                    Ok(Event::default().event("error").data(data)),
                                    (service, context, stopping, Next::End),
                                ));
                            }
                        };
                    }
                }
            }
        },
    )
}
