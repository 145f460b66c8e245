import type { Answer, Counts, Everything } from "./types";

const HEADERS = { "Recoup-Canvas": "1" };

export async function readAll(url: string): Promise<Everything | null> {
  return readJson<Everything>(url);
}

export async function readCounts(url: string): Promise<Counts | null> {
  return readJson<Counts>(url);
}

async function readJson<T>(url: string): Promise<T | null> {
  try {
    const answer = await fetch(url, { headers: HEADERS });
    return answer.ok && !answer.redirected ? ((await answer.json()) as T) : null;
  } catch {
    return null;
  }
}

/** Ask for a form, or send one. A session that is over leads to the sign-in page, which is no form of ours. */
export async function ask(url: string, body?: FormData): Promise<Answer> {
  let answer: Response;
  try {
    answer = await fetch(url, body ? { method: "POST", headers: HEADERS, body } : { headers: HEADERS });
    if (answer.redirected || (!answer.ok && ![409, 422].includes(answer.status))) return { kind: "lost" };
    if (answer.headers.get("Content-Type")?.startsWith("text/html")) {
      const html = await answer.text();
      return { kind: "form", html, isConflict: answer.status === 409, isRefused: answer.status === 422 };
    }
    const said = await answer.json();
    if (answer.status === 409) return { kind: "conflict", ...said };
    if (answer.status === 422) return { kind: "refused", why: said.refused };
    return { kind: "kept", ...said };
  } catch {
    return { kind: "lost" };
  }
}
