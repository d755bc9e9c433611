/** Niceties only: without it everything is there, times are in UTC and each step opens by a click. */
export const script = `
(() => {
  document.documentElement.classList.add("js")
  for (const time of document.querySelectorAll("time")) {
    const date = new Date(time.dateTime)
    if (isNaN(date)) continue
    time.title = time.textContent
    time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })
  }
  const openTarget = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1))
    if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView({ block: "start" }) }
  }
  addEventListener("hashchange", openTarget)
  openTarget()
  const steps = [...document.querySelectorAll(".steps > details")]
  const setAll = (open) => { for (const step of steps) step.open = open }
  document.getElementById("open-all")?.addEventListener("click", () => setAll(true))
  document.getElementById("close-all")?.addEventListener("click", () => setAll(false))
  document.getElementById("filter")?.addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\\s+/).filter(Boolean)
    for (const step of steps) {
      const text = step.firstElementChild.textContent.toLowerCase()
      step.hidden = !words.every((word) => text.includes(word))
    }
  })
  let closed = []
  addEventListener("beforeprint", () => { closed = steps.filter((step) => !step.open); setAll(true) })
  addEventListener("afterprint", () => { for (const step of closed) step.open = false })
})()
`
