// Before anything is painted: whoever chose light or dark doesn't see the other first.
const chosen = localStorage.getItem("theme");
if (chosen) document.documentElement.dataset.theme = chosen;
