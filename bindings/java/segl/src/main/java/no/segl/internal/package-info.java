/** How segl is called; not exported, and no promise is made about it. */
@org.jspecify.annotations.NullMarked
package no.segl.internal;
