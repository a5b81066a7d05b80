// Clicking a stretch of the transcript plays the recording of that side from there.

for (const button of document.querySelectorAll("button[data-jump]")) {
  button.addEventListener("click", () => {
    const section = button.closest("section");
    const audio = section.querySelector(`audio[data-side="${button.dataset.of}"]`) ?? section.querySelector("audio");
    const start = () => {
      audio.currentTime = Number(button.dataset.jump);
      audio.play();
    };
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    if (audio.readyState > 0) start();
    else {
      audio.addEventListener("loadedmetadata", start, { once: true });
      audio.load();
    }
  });
}
