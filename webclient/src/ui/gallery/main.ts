// Starts the gallery; only gallery.html, which is not part of the build, refers to it.
import { mount } from 'svelte';
import { prepareWords } from '../words/catalogue.svelte';
import Gallery from './Gallery.svelte';

const target = document.getElementById('app');
await prepareWords();
if (target !== null) mount(Gallery, { target });
