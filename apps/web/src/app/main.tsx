/** The start of the pages in the browser. */

import './styles/index.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { showTheme } from './theme.ts';

showTheme();
render(<App />, document.getElementById('app')!);
