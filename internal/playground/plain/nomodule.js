// A browser that cannot run modules runs this instead of the page, and gets the small page.
location.replace("/?plain" + location.hash);
