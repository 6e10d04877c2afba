// A browser that cannot run modules runs this script instead, which redirects to the small page.
location.replace("/?plain" + location.hash);
