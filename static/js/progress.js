/* Refreshes the progress of an import while the page is open; when the import has ended, reloads the page. */

const EVERY = 2000;

async function ask() {
  const place = document.querySelector("[data-progress]");
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-progress]");
    if (!fresh) {
      location.reload();
      return;
    }
    place.replaceWith(fresh);
    document.dispatchEvent(new Event("partshown"));
  } catch (problem) {
    console.info("progress not renewed:", problem.message);
  }
  setTimeout(ask, EVERY);
}

if (document.querySelector("[data-progress]")) setTimeout(ask, EVERY);
