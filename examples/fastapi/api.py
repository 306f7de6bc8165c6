"""Your API with FastAPI. Callers send a Tenantry credential: a program its API key, a member an access token. It is passed on, so that
this program holds no key of its own."""

import asyncio
import os
import random
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

TENANTRY = os.environ.get("TENANTRY_URL", "http://127.0.0.1:8787")
PORT = int(os.environ.get("PORT", "3000"))
ATTEMPTS_MAX = 5
FIRST_PAUSE_SECONDS = 0.1
ANSWER_WAIT_SECONDS = 5

client = httpx.AsyncClient(base_url=TENANTRY, timeout=ANSWER_WAIT_SECONDS)
app = FastAPI()


class Refusal(Exception):
    """An answer to the caller that ends the request."""

    def __init__(self, status: int, problem: Any, retry_after: str | None = None) -> None:
        self.status, self.problem, self.retry_after = status, problem, retry_after


@app.exception_handler(Refusal)
def refused(_: Request, refusal: Refusal) -> Response:
    """Passes a refusal of Tenantry on with its status, its `Retry-After` and its problem document."""
    headers = {"Retry-After": refusal.retry_after} if refusal.retry_after else {}
    return JSONResponse(refusal.problem, refusal.status, headers, media_type="application/problem+json")


async def tenantry(caller: Request, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Asks Tenantry as the caller. All attempts carry the same idempotency key, so that an answer that was lost is not counted twice."""
    # A new key for each request of a caller: a caller who chose it could repeat it, and would be counted once.
    headers = {"Authorization": caller.headers.get("authorization", ""), "Idempotency-Key": str(uuid.uuid4())}
    for attempt in range(ATTEMPTS_MAX):
        try:
            response = await client.request(method, path, json=body, headers=headers)
        except httpx.TransportError:
            response = None
        if response is not None and response.status_code < 400:
            return response.json() if response.content else None
        if response is not None and response.status_code < 500:
            raise Refusal(response.status_code, response.json(), response.headers.get("retry-after"))
        await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))
    raise Refusal(503, {"code": "unavailable", "detail": "Usage cannot be counted at the moment: try again."}, "1")


async def metered(caller: Request) -> None:
    """Counts a call before the handler runs. Over the quota, the handler does not run."""
    await tenantry(caller, "POST", "/v1/usage/consumption", {"metric": "apiCalls", "amount": 1})


def requires(permission: str) -> Callable[[Request], Coroutine[Any, Any, None]]:
    """Lets members with a permission through, and gives others the reason."""

    async def check(caller: Request) -> None:
        answer = await tenantry(caller, "GET", f"/v1/permissions/check?permission={permission}")
        if not answer["allowed"]:
            missing = answer.get("missing") or {"detail": f"You lack {permission}."}
            raise Refusal(403, {"code": "forbidden", "detail": missing["detail"]})

    return check


async def reserved(caller: Request, most: int, job: Callable[[], Awaitable[tuple[int, Any]]]) -> Any:
    """Holds the most that a job may use, runs it, and counts the actual usage. A job that fails counts nothing."""
    body = {"metric": "apiCalls", "amount": most, "ttlSeconds": 600}
    path = f"/v1/reservations/{(await tenantry(caller, 'POST', '/v1/reservations', body))['$id']}"
    try:
        used, result = await job()
        await tenantry(caller, "POST", f"{path}/settlement", {"amount": used})
        return result
    except Exception:
        # Without this release the reservation would end by itself, ten minutes later.
        try:
            await tenantry(caller, "DELETE", path)
        except Refusal:
            pass
        raise


class NewSummary(BaseModel):
    text: str = Field(min_length=1)


@app.get("/greetings/{name}", dependencies=[Depends(metered)])
async def greet(name: str) -> dict[str, str]:
    return {"greeting": f"Hello {name}"}


@app.post("/summaries")
async def create_summary(caller: Request, new: NewSummary) -> Any:
    async def summarize() -> tuple[int, Any]:
        """The slow job: its usage, a call for each word, is known at its end."""
        await asyncio.sleep(0.2)
        words = new.text.split()
        return len(words), {"summary": " ".join(words[:3]), "words": len(words)}

    return await reserved(caller, len(new.text), summarize)


@app.delete("/projects/{id}", status_code=204, dependencies=[Depends(requires("organization.write"))])
async def delete_project(id: str) -> None:
    return None


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
