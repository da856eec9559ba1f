/* The goods of a counter: the total of what is chosen, and no more than there is. */

function showTotal(form) {
  const goods = form.querySelector("[data-goods]");
  const chosen = goods.querySelector("input:checked");
  const quantity = form.elements.quantity;
  if (chosen) quantity.max = chosen.dataset.most;
  const total = chosen && quantity.validity.valid ? chosen.dataset.points * quantity.value : null;
  form.querySelector("[data-goods-total]").textContent = total === null ? "" : goods.dataset.textTotal.replace("{points}", total.toLocaleString("en-US"));
}

document.addEventListener("input", ({ target }) => {
  if (target.form?.querySelector("[data-goods]")) showTotal(target.form);
});
